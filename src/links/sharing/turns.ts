/*
 * Whose turn it is on a line that the bridge shares with other programs:
 *
 *   free --the bridge sends--> its turn --reply and then quiet, or no reply in its time--> free
 *   free and quiet --a program has sent--> its turn --the same--> free
 *
 * What comes in a program's turn is for it alone. A frame of the bridge waits for the end of that turn; one that has
 * waited too long is not sent any more, for its reply would be taken for that of a later request. Programs and the
 * bridge take turns, so that neither starves the other.
 */

export interface TurnTimes {
  /** So long without a byte, and an answer is complete. */
  readonly quietMs: number;
  /** So long an answer may take to begin, late ones included: nothing else is asked before. */
  readonly replyMs: number;
  /** So long a frame of the bridge may wait. */
  readonly holdMs: number;
}

/** Bytes that a program may have waiting. */
export const MOST_WAITING = 64 * 1024;
/** Frames of the bridge that may wait for a program's turn to end. */
export const MOST_HELD = 64;
/** A device that never falls silent ends a turn, and does not keep one from beginning, after so long. */
const CHATTER_MS = 2_000;
const NEVER = Number.POSITIVE_INFINITY;

interface Turn<P> {
  /** Undefined: the bridge. */
  readonly by: P | undefined;
  /** Since when; monotonic ms, as all instants here. */
  readonly beganAt: number;
  /** When something was sent last. */
  askedAt: number;
  /** When the answer to it began. */
  answeredAt: number | undefined;
}

interface Waiting {
  readonly chunks: Uint8Array[];
  bytes: number;
  readonly since: number;
}

export interface TurnHandlers<P> {
  /** Writes to the line; `by` is undefined for the bridge. */
  write(bytes: Uint8Array, by: P | undefined): void;
  /** Nothing of this program waits any more. */
  taken(program: P): void;
  /** A frame of the bridge waited too long and is not sent. */
  dropped(bytes: Uint8Array): void;
}

/** Hands a line to one talker after the other. It knows no clock: each call says what time it is. */
export class Turns<P> {
  readonly #times: TurnTimes;
  readonly #handlers: TurnHandlers<P>;
  #turn: Turn<P> | undefined;
  #held: { readonly bytes: Uint8Array; readonly at: number }[] = [];
  readonly #waiting = new Map<P, Waiting>();
  #heardAt = Number.NEGATIVE_INFINITY;
  #lastByBridge = false;

  constructor(times: TurnTimes, handlers: TurnHandlers<P>) {
    this.#times = times;
    this.#handlers = handlers;
  }

  /** Frames of the bridge that wait. */
  get held(): number {
    return this.#held.length;
  }

  /** The program whose turn it is. */
  get program(): P | undefined {
    return this.#turn?.by;
  }

  /** Whether it is the turn of a program or of the bridge. */
  get taken(): boolean {
    return this.#turn !== undefined;
  }

  /** A frame of the bridge; false where too many wait. */
  bridgeSends(bytes: Uint8Array, now: number): boolean {
    this.act(now);
    const turn = this.#turn;
    // Its exchange is over as far as is known, and a program waits: that one is next.
    const yields = this.#waiting.size > 0 && (turn === undefined || turn.answeredAt !== undefined);
    if (turn?.by === undefined && !yields && this.#held.length === 0) {
      this.#ask(bytes, undefined, now);
      return true;
    }
    if (this.#held.length >= MOST_HELD) return false;
    this.#held.push({ bytes, at: now });
    return true;
  }

  /** The bridge has sent while no program is there: its turn all the same, for a program that joins before the answer. */
  bridgeSent(now: number): void {
    this.#turn = { by: undefined, beganAt: now, askedAt: now, answeredAt: undefined };
  }

  /** Bytes of a program; false where it is to send no more until `taken`. */
  programSends(program: P, bytes: Uint8Array, now: number): boolean {
    this.act(now);
    const turn = this.#turn;
    if (turn?.by === program && now - turn.beganAt < this.#times.replyMs) {
      this.#ask(bytes, program, now);
      return true;
    }
    const waiting = this.#waiting.get(program) ?? { chunks: [], bytes: 0, since: now };
    this.#waiting.set(program, waiting);
    waiting.chunks.push(bytes);
    waiting.bytes += bytes.length;
    this.act(now);
    return waiting.bytes < MOST_WAITING || !this.#waiting.has(program);
  }

  /** Bytes came; whose they are shows `program`. */
  heard(now: number): void {
    this.act(now);
    this.#heardAt = now;
    if (this.#turn !== undefined) this.#turn.answeredAt ??= now;
  }

  /** A program left; its turn goes on, so that no other one gets the answer to it. */
  left(program: P): void {
    this.#waiting.delete(program);
  }

  /** The link is gone: nothing that waits is sent over the next one. */
  reset(): void {
    this.#turn = undefined;
    this.#held = [];
    const programs = [...this.#waiting.keys()];
    this.#waiting.clear();
    for (const each of programs) this.#handlers.taken(each);
  }

  nextDeadline(now: number): number {
    const turn = this.#turn;
    if (turn !== undefined) return this.#endOf(turn);
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return this.#held.length > 0 ? now : NEVER;
    return Math.min(this.#heardAt + this.#times.quietMs, oldest.since + CHATTER_MS);
  }

  /** Ends and begins what is due. */
  act(now: number): void {
    if (this.#turn !== undefined && this.#endOf(this.#turn) <= now) {
      this.#lastByBridge = this.#turn.by === undefined;
      this.#turn = undefined;
    }
    if (this.#turn !== undefined) return;
    if (!this.#lastByBridge && this.#askHeld(now)) return;
    if (this.#lend(now)) return;
    if (this.#waiting.size === 0) this.#askHeld(now);
  }

  #endOf({ askedAt, answeredAt }: Turn<P>): number {
    const { quietMs, replyMs } = this.#times;
    if (answeredAt === undefined) return askedAt + replyMs;
    return Math.min(this.#heardAt + quietMs, answeredAt + CHATTER_MS);
  }

  #askHeld(now: number): boolean {
    const held = this.#held;
    this.#held = [];
    let asked = false;
    for (const { bytes, at } of held) {
      if (now - at > this.#times.holdMs) this.#handlers.dropped(bytes);
      else {
        this.#ask(bytes, undefined, now);
        asked = true;
      }
    }
    return asked;
  }

  #lend(now: number): boolean {
    const [next] = this.#waiting;
    if (next === undefined) return false;
    const [program, { chunks, bytes, since }] = next;
    const isQuiet = now - this.#heardAt >= this.#times.quietMs || now - since >= CHATTER_MS;
    if (!isQuiet) return false;
    this.#waiting.delete(program);
    this.#ask(joined(chunks, bytes), program, now);
    this.#handlers.taken(program);
    return true;
  }

  #ask(bytes: Uint8Array, by: P | undefined, now: number): void {
    const beganAt = this.#turn?.by === by ? (this.#turn?.beganAt ?? now) : now;
    this.#turn = { by, beganAt, askedAt: now, answeredAt: undefined };
    this.#handlers.write(bytes, by);
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const each of chunks) {
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}
