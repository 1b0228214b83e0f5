import type { Transport } from '../contract/transport.ts';
import type { Link, LinkEnd, LinkHandlers, SendOutcome } from '../links/link.ts';
import { ownEnd } from '../links/link-life.ts';

/** A link whose peer is a trace: whoever plays it says when it opens, what is read, and how it ends. */
export class PlayedLink implements Link {
  readonly transport: Transport;
  readonly address: string;
  readonly queued = 0;
  readonly #soon: (callback: () => void) => void;
  #handlers: LinkHandlers | undefined;
  #state: 'fresh' | 'opening' | 'open' | 'over' = 'fresh';
  #told = false;

  /** `soon` calls once what is being done is done. */
  constructor(transport: Transport, address: string, soon: (callback: () => void) => void) {
    this.transport = transport;
    this.address = address;
    this.#soon = soon;
  }

  get awaitsOpening(): boolean {
    return this.#state === 'opening';
  }

  /** What is played is heard. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  open(handlers: LinkHandlers): void {
    this.#handlers = handlers;
    if (this.#state === 'fresh') this.#state = 'opening';
  }

  send(): SendOutcome {
    return this.#state === 'open' ? 'accepted' : 'link_not_open';
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#soon(() => this.#tell(ownEnd(this.address)));
  }

  playOpen(address: string): void {
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#handlers?.opened(address);
  }

  playBytes(chunk: Uint8Array): void {
    this.#handlers?.data(chunk);
  }

  playIdle(): void {
    this.#handlers?.idle();
  }

  playEnd(end: LinkEnd): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#tell(end);
  }

  #tell(end: LinkEnd): void {
    if (this.#told) return;
    this.#told = true;
    this.#handlers?.closed(end);
  }
}
