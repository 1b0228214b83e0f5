import { isIP } from 'node:net';
import { formatHostPort, parseEndpoint } from '../address.ts';
import { IdleSensor } from '../idle-sensor.ts';
import type { Link, LinkEnd, LinkHandlers, SendOutcome } from '../link.ts';
import { LinkLife, ownEnd } from '../link-life.ts';
import type { LinkTransport } from '../link-transport.ts';
import type { NameResolver } from '../names/name-resolver.ts';
import { MAX_PENDING_FRAMES } from '../pending-frames.ts';
import { parseSerialOptions, type SerialSettings } from '../serial-address.ts';
import { TcpLink } from '../tcp.ts';
import { ComPortClient } from './com-port-client.ts';
import { escaped } from './telnet.ts';

/** A serial line of a server that takes its settings over the network; `host` without brackets. */
export interface Rfc2217Address {
  readonly scheme: 'rfc2217';
  readonly host: string;
  readonly port: number;
  readonly settings: SerialSettings;
}

export interface Rfc2217LinkOptions {
  /** Silence after which `idle` is called, in ms. */
  readonly idleAfterMs?: number | undefined;
  readonly names?: NameResolver | undefined;
}

/** How long a server may take to agree and to set its line, in ms. */
const AGREE_WITHIN_MS = 5_000;
/** A timer that is later was held up by a loop that stood still. */
const LATE_MS = 1_000;
/** A serial line behind a network: what is read may come in pieces. */
const IDLE_AFTER_MS = 200;

/** A serial line behind a server that speaks RFC 2217: open once the line is as configured. */
export class Rfc2217Link implements Link {
  readonly transport = 'rfc2217';
  readonly address: string;
  readonly resolves: boolean;
  readonly #life = new LinkLife();
  readonly #connection: TcpLink;
  readonly #client: ComPortClient;
  readonly #idleAfterMs: number;
  /** Frames that wait while the server wants none. */
  readonly #held: Uint8Array[] = [];
  #suspended = false;
  #dialled = false;
  #agreeing: NodeJS.Timeout | undefined;
  #sensor: IdleSensor | undefined;

  constructor({ host, port, settings }: Rfc2217Address, options: Rfc2217LinkOptions = {}) {
    this.address = formatHostPort(host, port);
    this.resolves = isIP(host) === 0;
    this.#idleAfterMs = options.idleAfterMs ?? IDLE_AFTER_MS;
    this.#connection = TcpLink.dial({ scheme: 'tcp', host, port }, { names: options.names });
    this.#client = new ComPortClient(this.address, settings, {
      send: (bytes) => void this.#connection.send(bytes),
      ready: () => this.#ready(),
      failed: (end) => this.#failed(end),
      data: (bytes) => {
        this.#life.data(bytes);
        this.#sensor?.sawBytes();
      },
      suspended: (suspended) => this.#suspend(suspended),
    });
  }

  get queued(): number {
    return this.#connection.queued + this.#held.length;
  }

  open(handlers: LinkHandlers): void {
    if (!this.#life.begin(handlers)) {
      setImmediate(() => this.#finish(ownEnd(this.address)));
      return;
    }
    this.#dialled = true;
    this.#connection.open({
      dialling: (stale) => this.#life.dialling(stale),
      opened: () => {
        if (this.#life.isOver) return;
        this.#awaitAgreement();
        this.#client.start();
      },
      data: (chunk) => {
        if (!this.#life.isOver) this.#client.push(chunk);
      },
      idle: () => undefined,
      closed: (end) => this.#finish(this.#agreeing === undefined ? end : this.#leftEarly(end)),
    });
  }

  send(bytes: Uint8Array): SendOutcome {
    if (!this.#life.isOpen) return 'link_not_open';
    const line = escaped(bytes);
    if (!this.#suspended) return this.#connection.send(line);
    if (this.queued >= MAX_PENDING_FRAMES) return 'link_queue_full';
    this.#held.push(line);
    return 'accepted';
  }

  end(): void {
    if (!this.#life.end(ownEnd(this.address), () => this.destroy())) return;
    if (!this.#suspended) this.#connection.end();
  }

  destroy(): void {
    this.#failed(ownEnd(this.address));
  }

  #failed(end: LinkEnd): void {
    if (this.#life.destroying(end) && this.#dialled) this.#connection.destroy();
  }

  #awaitAgreement(): void {
    const dueAtMs = performance.now() + AGREE_WITHIN_MS;
    this.#agreeing = setTimeout(() => {
      // A loop that stood still asked nothing meanwhile, and has not read what was answered.
      if (performance.now() - dueAtMs > LATE_MS) this.#awaitAgreement();
      else this.#client.timeUp(AGREE_WITHIN_MS);
    }, AGREE_WITHIN_MS);
  }

  #ready(): void {
    clearTimeout(this.#agreeing);
    this.#agreeing = undefined;
    this.#sensor = new IdleSensor(this.#idleAfterMs, () => this.#life.idle());
    this.#life.opened(this.address);
  }

  #suspend(suspended: boolean): void {
    this.#suspended = suspended;
    if (suspended) return;
    for (const line of this.#held.splice(0)) this.#connection.send(line);
    if (this.#life.isEnding) this.#connection.end();
  }

  #leftEarly({ code, detail }: LinkEnd): LinkEnd {
    if (code !== 'link_closed' && code !== 'link_reset') return { code, detail };
    return {
      code: 'com_port_refused',
      detail: `${this.address} closed the connection before its line was set (RFC 2217): ${detail} The port may be in use by another program.`,
    };
  }

  #finish(end: LinkEnd): void {
    clearTimeout(this.#agreeing);
    this.#sensor?.close();
    this.#life.finish(end);
  }
}

const FIX = 'Write rfc2217:HOST:PORT, for example rfc2217:10.0.0.7:2217?baud=9600-8E1.';

export const rfc2217: LinkTransport<Rfc2217Address> = {
  parse(rest, settings) {
    const mark = rest.indexOf('?');
    const endpoint = parseEndpoint(mark < 0 ? rest : rest.slice(0, mark), 1, FIX);
    if (!endpoint.ok) return endpoint;
    const change = parseSerialOptions(mark < 0 ? '' : rest.slice(mark + 1));
    if (!change.ok) return change;
    const value = {
      scheme: 'rfc2217',
      ...endpoint.value,
      settings: { ...settings, ...change.value },
    } as const;
    return { ok: true, value };
  },
  label: ({ host, port }) => formatHostPort(host, port),
  dial: (address, { idleAfterMs, names }) => new Rfc2217Link(address, { idleAfterMs, names }),
};
