import type { Gap, PastEvent } from './event-log.ts';

/** Events that may be unacknowledged at once. */
const ACK_WINDOW = 32;
export const REDELIVER_MS = 30_000;
/** How often one event is sent, at most. */
export const TRIES = 5;

interface Unacked {
  readonly event: PastEvent;
  sentAtMs: number;
  tries: number;
  /** A recovery asked for it on this connection, and it was not sent there yet. */
  claimed?: boolean;
}

/** Holds the window of one session, which outlives its connections; absent until an event needs an acknowledgement. */
export interface AckKeeper {
  window: AckWindow | undefined;
}

/** The events that were sent to one session and are not acknowledged yet. */
export class AckWindow {
  readonly #unacked = new Map<string, Unacked>();

  get size(): number {
    return this.#unacked.size;
  }

  get room(): boolean {
    return this.size < ACK_WINDOW;
  }

  /** Whether an event that is asked for again is in the window, which sends it again; until then it counts as not sent. */
  claim(event: PastEvent): boolean {
    const unacked = this.#unacked.get(event.id);
    if (unacked === undefined) return false;
    unacked.claimed = true;
    return true;
  }

  /** The lowest `rev` of those that are claimed. */
  firstRev(): number {
    let first = Infinity;
    for (const { event, claimed } of this.#unacked.values())
      if (claimed === true) first = Math.min(first, event.rev);
    return first;
  }

  sent(event: PastEvent, monoMs: number): void {
    this.#unacked.set(event.id, { event, sentAtMs: monoMs, tries: 1 });
  }

  /** An unknown id is no error: an acknowledgement may be late, or come twice. */
  acknowledge(id: string): void {
    this.#unacked.delete(id);
  }

  /** Removes what is no longer wanted. */
  retain(wanted: (topic: string) => boolean): void {
    for (const [id, { event }] of this.#unacked) if (!wanted(event.topic)) this.#unacked.delete(id);
  }

  /** Some event is to be sent again, or given up. */
  isDue(monoMs: number): boolean {
    for (const { sentAtMs } of this.#unacked.values()) if (monoMs - sentAtMs >= REDELIVER_MS) return true;
    return false;
  }

  /** The next event to send again, counted as sent, or the gap of one that was sent often enough. */
  again(monoMs: number): PastEvent | Gap | undefined {
    for (const [id, unacked] of this.#unacked) {
      if (monoMs - unacked.sentAtMs < REDELIVER_MS) continue;
      const { event } = unacked;
      unacked.claimed = false;
      if (unacked.tries >= TRIES) {
        this.#unacked.delete(id);
        const { topic, seq, rev } = event;
        return { topic, fromSeq: seq, toSeq: seq, rev, reason: 'unacked' };
      }
      unacked.sentAtMs = monoMs;
      unacked.tries++;
      return event;
    }
    return undefined;
  }

  /** The session moves to another connection: the last events over the old one may never have arrived. */
  resumed(): void {
    for (const unacked of this.#unacked.values()) unacked.sentAtMs = -Infinity;
  }
}
