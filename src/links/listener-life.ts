import { HeartwireError } from '../errors.ts';
import type { LinkEnd, ListenerHandlers } from './link.ts';
import type { NameResolver } from './names/name-resolver.ts';

/**
 * The rules of every listener's life, whatever carries the bytes: it is started once, its host is looked up where that
 * is a name, and it reports `closed` exactly once, last, and never from within a call of its owner.
 */
export class ListenerLife {
  readonly #host: string;
  readonly #names: NameResolver;
  /** As configured; once it is bound, with the port that was really taken. */
  address: string;
  #handlers: ListenerHandlers | undefined;
  #over = false;
  #leaveLookUp: (() => void) | undefined;

  constructor(host: string, address: string, names: NameResolver) {
    this.#host = host;
    this.#names = names;
    this.address = address;
  }

  /** It accepts no peers any more. */
  get over(): boolean {
    return this.#over;
  }

  get handlers(): ListenerHandlers | undefined {
    return this.#handlers;
  }

  /** Calls `open` with the address of the host: at once where it is one, else when it is known. */
  start(handlers: ListenerHandlers, isAddress: boolean, open: (host: string) => void): void {
    if (this.#handlers !== undefined)
      throw new HeartwireError('bad_argument', 'A listener is started only once.');
    this.#handlers = handlers;
    if (this.#over) {
      setImmediate(() => handlers.closed(this.#ownEnd()));
      return;
    }
    if (isAddress) return open(this.#host);
    this.#leaveLookUp = this.#names.lookUp(this.#host, (answer) => {
      this.#leaveLookUp = undefined;
      if (answer.ok) return open(answer.addresses[0] ?? this.#host);
      this.end(answer.end);
    });
  }

  /** It could not be bound, or failed. Reports nothing where it is over. */
  end(end: LinkEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#handlers?.closed(end);
  }

  /** Its owner closes it; false where it is over already. */
  close(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#leaveLookUp?.();
    const handlers = this.#handlers;
    if (handlers !== undefined) setImmediate(() => handlers.closed(this.#ownEnd()));
    return true;
  }

  #ownEnd(): LinkEnd {
    return { code: 'link_ended', detail: `We stopped listening at ${this.address}.` };
  }
}
