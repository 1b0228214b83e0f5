import type { Message } from '../../protocol/message.ts';

/** So many beats in a row that come back as they went are suspicious. */
const ENOUGH = 2;

/**
 * Tells a line that returns what we send when it does so only after the register, as with a plug that is exchanged: our
 * beat comes back as a request, and our answer to that as its reply. A peer that beats at the same moment looks alike, so
 * after a few such beats the answer is withheld: a peer replies all the same, a line that echoes has nothing to return.
 */
export class EchoWatch {
  #awaits: 'request' | 'reply' | undefined;
  #returned = 0;
  #withheld = 0;
  #peerIsThere = false;

  /** Requests that are not answered before something else comes; where that is nothing by the next beat, they were ours. */
  get withheld(): number {
    return this.#withheld;
  }

  /** A beat of ours goes out. */
  beatSent(): void {
    if (this.#awaits !== undefined) this.#returned = 0;
    this.#awaits = 'request';
  }

  /** A valid frame came; gives how many requests are to be answered now that were withheld. */
  heard({ name, kind }: Message): number {
    // A question for the time comes back in the same way, and at any time.
    if (this.#peerIsThere || name === 'datetime') return 0;
    const beat = name === 'heartbeat' && kind === 'request';
    if (this.#withheld > 0) {
      if (beat) this.#withheld += 1;
      return beat ? 0 : this.#release();
    }
    if (name === 'heartbeat' && kind === this.#awaits) {
      this.#awaits = beat ? 'reply' : undefined;
      if (!beat) this.#returned += 1;
      else if (this.#returned >= ENOUGH) this.#withheld = 1;
    } else {
      this.#returned = 0;
      this.#awaits = undefined;
    }
    return 0;
  }

  #release(): number {
    const released = this.#withheld;
    this.#withheld = 0;
    this.#peerIsThere = true;
    return released;
  }
}
