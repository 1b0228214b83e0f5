import type { Gap, PastEvent } from './event-log.ts';

/** Events that may be out without an acknowledgement. */
const ACK_WINDOW = 32;
export const REDELIVER_MS = 30_000;
/** How often one event is sent at most. */
export const TRIES = 5;

interface Unacked {
  readonly event: PastEvent;
  sentAtMs: number;
  tries: number;
  /** It was asked for on this connection, and not sent on it yet. */
  owed?: boolean;
}

/** Keeps the window of one session, which outlives its connections; absent until something is to be acknowledged. */
export interface AckKeeper {
  window: AckWindow | undefined;
}

/** Events that were sent to one session and not acknowledged yet. */
export class AckWindow {
  readonly #unacked = new Map<string, Unacked>();

  get size(): number {
    return this.#unacked.size;
  }

  get room(): boolean {
    return this.size < ACK_WINDOW;
  }

  /** Whether an event that is asked for again is to be sent again anyway; until then it is not said. */
  owes(event: PastEvent): boolean {
    const unacked = this.#unacked.get(event.id);
    if (unacked === undefined) return false;
    unacked.owed = true;
    return true;
  }

  /** The lowest `rev` of those that are owed. */
  firstRev(): number {
    let first = Infinity;
    for (const { event, owed } of this.#unacked.values())
      if (owed === true) first = Math.min(first, event.rev);
    return first;
  }

  sent(event: PastEvent, monoMs: number): void {
    this.#unacked.set(event.id, { event, sentAtMs: monoMs, tries: 1 });
  }

  /** An id that is not out is no error: an acknowledgement may be late, or come twice. */
  acknowledge(id: string): void {
    this.#unacked.delete(id);
  }

  /** Forgets what is no longer wanted. */
  retain(wanted: (topic: string) => boolean): void {
    for (const [id, { event }] of this.#unacked) if (!wanted(event.topic)) this.#unacked.delete(id);
  }

  /** Something is to be sent again, or given up. */
  isDue(monoMs: number): boolean {
    for (const { sentAtMs } of this.#unacked.values()) if (monoMs - sentAtMs >= REDELIVER_MS) return true;
    return false;
  }

  /** The next event to send again, counted as sent, or the loss of one that was sent often enough. */
  again(monoMs: number): PastEvent | Gap | undefined {
    for (const [id, unacked] of this.#unacked) {
      if (monoMs - unacked.sentAtMs < REDELIVER_MS) continue;
      const { event } = unacked;
      unacked.owed = false;
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

  /** The session goes on over another connection: what came last over the old one may never have arrived. */
  resumed(): void {
    for (const unacked of this.#unacked.values()) unacked.sentAtMs = -Infinity;
  }
}
