import type { Message } from '../protocol/message.ts';

/** So many beats in a row that come back as they went are no coincidence. */
const ENOUGH = 3;

/**
 * Tells a line that returns what we send when it does so only after the register, as with a plug that is exchanged: our
 * beat comes back as a request, and our answer to that as the reply. A peer that is not to beat does not do so in the
 * time that its reply takes, and never again and again.
 */
export class EchoWatch {
  #awaits: 'request' | 'reply' | undefined;
  #returned = 0;

  /** A beat of ours goes out. */
  beatSent(): void {
    if (this.#awaits !== undefined) this.#returned = 0;
    this.#awaits = 'request';
  }

  /** A valid frame came; whether there is no doubt any more that it was our own. */
  heard({ name, kind }: Message): boolean {
    // A question for the time comes back in the same way, and at any time.
    if (name === 'datetime') return false;
    if (name !== 'heartbeat' || kind !== this.#awaits) {
      this.#returned = 0;
      this.#awaits = undefined;
      return false;
    }
    this.#awaits = kind === 'request' ? 'reply' : undefined;
    if (kind === 'reply') this.#returned += 1;
    return this.#returned >= ENOUGH;
  }
}
