import type { OutgoingRequest } from './message-catalog.ts';

interface Sent {
  readonly name: string;
  readonly payload: Uint8Array;
  readonly sentAt: number;
  readonly asks: boolean;
  readonly mirrored: boolean;
  /** The next copy of it is the reply. */
  isReply: boolean;
}

const NONE: readonly Uint8Array[] = [];

/** Payloads that are kept. */
const MOST_KEPT = 16;

/**
 * What went out over one link and may come back as it was. Once for each time that it was sent: a device may say the
 * same of its own accord. Where the reply is declared to be the request, byte for byte, the first copy is the reply,
 * unless the line has returned a request whose reply is another.
 */
export class SentPayloads {
  readonly #keepMs: number;
  #sent: Sent[] = [];
  #lineEchoes = false;

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /** Instants are monotonic ms. */
  add({ name, payload, awaitsReply, mirrored = false }: OutgoingRequest, now: number): void {
    if (payload === undefined) return;
    this.#sent = this.#sent.filter(({ sentAt }) => now - sentAt < this.#keepMs).slice(1 - MOST_KEPT);
    const isReply = mirrored && !this.#lineEchoes;
    this.#sent.push({ name, payload, sentAt: now, asks: awaitsReply, mirrored, isReply });
  }

  /** The payloads that are our own where they come. */
  own(now: number): readonly Uint8Array[] {
    if (this.#sent.length === 0) return NONE;
    return this.#sent
      .filter(({ isReply, sentAt }) => !isReply && now - sentAt < this.#keepMs)
      .map(({ payload }) => payload);
  }

  /** One of them came; returns the name of its request. */
  returned(payload: Uint8Array): string | undefined {
    const index = this.#sent.findIndex(
      (each) =>
        each.payload.length === payload.length && each.payload.every((byte, at) => byte === payload[at]),
    );
    const [echoed] = index < 0 ? [] : this.#sent.splice(index, 1);
    if (echoed?.asks) this.#lineEchoes = true;
    return echoed?.name;
  }

  /** A request of this name was answered. */
  answered(name: string): void {
    const sent = this.#sent.findLast((each) => each.name === name);
    if (sent === undefined) return;
    if (sent.isReply) sent.isReply = false;
    else if (!sent.mirrored) this.#lineEchoes = false;
  }
}
