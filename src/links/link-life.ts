import { HeartwireError } from '../errors.ts';
import type { LinkEnd, LinkHandlers } from './link.ts';

/**
 * The rules of every link's life in one place, whatever carries the bytes:
 *
 *     fresh ──begin──▶ opening ──opened──▶ open ──ending──▶ ending ──┐
 *                         └────────────── destroying ◀───────────────┤
 *                                              └──── finish ──▶ closed (once)
 *
 * The first cause of an end is the one that is reported; after `destroying` nothing but `closed` is.
 */
export class LinkLife {
  #handlers: LinkHandlers | undefined;
  #state: 'fresh' | 'opening' | 'open' | 'ending' | 'destroying' | 'closed' = 'fresh';
  #cause: LinkEnd | undefined;
  #linger: NodeJS.Timeout | undefined;

  /** Takes the handlers; a link lives once. Returns whether it is still to be opened. */
  begin(handlers: LinkHandlers): boolean {
    if (this.#handlers !== undefined) throw new HeartwireError('bad_argument', 'A link is opened only once.');
    this.#handlers = handlers;
    if (this.#state !== 'fresh') return false;
    this.#state = 'opening';
    return true;
  }

  get isOpening(): boolean {
    return this.#state === 'opening';
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isEnding(): boolean {
    return this.#state === 'ending';
  }

  /** Destroyed or closed: what arrives from now on is dropped. */
  get isOver(): boolean {
    return this.#state === 'destroying' || this.#state === 'closed';
  }

  /** Whether first bytes are kept back until it is known whether the peer is still there. */
  get keepsFirst(): boolean {
    return this.#handlers?.dropsUnread !== undefined;
  }

  dropsUnread(bytes: Uint8Array): boolean {
    return this.#handlers?.dropsUnread?.(bytes) ?? false;
  }

  dialling(stale: string | undefined): void {
    if (this.#state === 'opening') this.#handlers?.dialling?.(stale);
  }

  opened(address: string): void {
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#handlers?.opened(address);
  }

  data(chunk: Uint8Array): void {
    if (this.#state === 'open' || this.#state === 'ending') this.#handlers?.data(chunk);
  }

  idle(): void {
    if (this.#state === 'open' || this.#state === 'ending') this.#handlers?.idle();
  }

  /**
   * No more frames are taken; what is queued has a moment to be written out before `destroy`. Returns false where there
   * is nothing to write out.
   */
  ending(cause: LinkEnd, destroy: () => void): boolean {
    if (this.#state !== 'open') return false;
    this.#cause ??= cause;
    this.#state = 'ending';
    this.#linger = setTimeout(destroy, LINGER_MS);
    return true;
  }

  /** The same for the user of the link, who may end it before it is open: then it is destroyed at once. */
  end(cause: LinkEnd, destroy: () => void): boolean {
    if (this.ending(cause, destroy)) return true;
    if (this.#state !== 'ending') destroy();
    return false;
  }

  /** Returns false where it was over already. */
  destroying(cause: LinkEnd): boolean {
    if (this.isOver) return false;
    this.#cause ??= cause;
    this.#state = 'destroying';
    return true;
  }

  /** The carrier is gone. Called from an event of the carrier, never from within a call of the link's user. */
  finish(fallback: LinkEnd): void {
    clearTimeout(this.#linger);
    this.#cause ??= fallback;
    this.#state = 'closed';
    const handlers = this.#handlers;
    if (handlers === undefined) return;
    this.#handlers = SPENT;
    handlers.closed(this.#cause);
  }
}

const nothing = (): void => undefined;
const SPENT: LinkHandlers = { opened: nothing, data: nothing, idle: nothing, closed: nothing };

/** The end that this process brought about itself. */
export const ownEnd = (address: string): LinkEnd => ({
  code: 'link_ended',
  detail: `We closed the link with ${address}.`,
});

/** The other side hung up before what it had said was looked at. */
export const goneEnd = (address: string): LinkEnd => ({
  code: 'link_closed',
  detail: `${address} closed the link before its turn came; many dial in at once.`,
});

/** The other side hung up. */
export const peerEnd = (address: string): LinkEnd => ({
  code: 'link_closed',
  detail: `${address} closed the link.`,
});

/** How long queued bytes may take to be written out after `end`. */
const LINGER_MS = 1_000;
