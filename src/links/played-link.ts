import type { Transport } from '../contract/index.ts';
import type { Link, LinkEnd, LinkHandlers, SendOutcome } from './link.ts';
import { LinkLife, ownEnd } from './link-life.ts';

/** A link whose peer is a trace: a player says when it opens, what is read, and how it ends. What is sent goes nowhere. */
export class PlayedLink implements Link {
  readonly transport: Transport;
  readonly address: string;
  readonly queued = 0;
  readonly #soon: (callback: () => void) => void;
  readonly #life = new LinkLife();

  /** `soon` calls once the current callback has returned. */
  constructor(transport: Transport, address: string, soon: (callback: () => void) => void) {
    this.transport = transport;
    this.address = address;
    this.#soon = soon;
  }

  get isOpen(): boolean {
    return this.#life.isOpen;
  }

  get isOver(): boolean {
    return this.#life.isOver;
  }

  open(handlers: LinkHandlers): void {
    if (!this.#life.begin(handlers)) this.#finishSoon();
  }

  send(): SendOutcome {
    return this.#life.isOpen ? 'accepted' : 'link_not_open';
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#life.destroying(ownEnd(this.address))) this.#finishSoon();
  }

  playOpen(address: string): void {
    this.#life.opened(address);
  }

  playBytes(chunk: Uint8Array): void {
    this.#life.data(chunk);
  }

  playIdle(): void {
    this.#life.idle();
  }

  playEnd(end: LinkEnd): void {
    if (this.#life.destroying(end)) this.#life.finish(end);
  }

  #finishSoon(): void {
    this.#soon(() => this.#life.finish(ownEnd(this.address)));
  }
}
