// Part of the child process bench/support/hostile-server: devices that are dialled by names that no name server answers.

import { NameResolver } from '../../src/links/names/name-resolver.ts';
import { TcpLink } from '../../src/links/tcp.ts';

const NAMES = 200;
const AGAIN_MS = 100;
const NO_FILE = '/nonexistent';

/** Links that are dialled again and again by names of their own. */
export class UnansweredNames implements Disposable {
  readonly #names: NameResolver;
  readonly #links = new Map<number, TcpLink>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /** `server`: `address:port` of a name server that says nothing. */
  constructor(server: string) {
    const files = { hostsFile: NO_FILE, resolvConf: NO_FILE, nsswitchConf: NO_FILE };
    this.#names = new NameResolver({ servers: [server], ...files, systemMayKnow: () => false });
    for (let at = 0; at < NAMES; at++) this.#dial(at);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const link of this.#links.values()) link.destroy();
    this.#links.clear();
  }

  #dial(at: number): void {
    const address = { scheme: 'tcp', host: `device-${at}.example`, port: 9 } as const;
    const link = TcpLink.dial(address, { names: this.#names });
    this.#links.set(at, link);
    link.open({
      opened: () => undefined,
      data: () => undefined,
      idle: () => undefined,
      closed: () => {
        if (this.#links.get(at) !== link) return;
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          this.#dial(at);
        }, AGAIN_MS);
        this.#timers.add(timer);
      },
    });
  }
}
