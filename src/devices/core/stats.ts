import type { StatsDocument } from '../../contract/feed/topic-documents.ts';
import type { Discarded } from '../../protocol/decoder.ts';
import { countUp, Tally } from './tally.ts';

const PUBLISH_EVERY_MS = 1_000;

/** Counts, and says when they are due to be published: when they changed, at most once a second. */
export class Stats {
  readonly counts: { -readonly [K in keyof StatsDocument]: StatsDocument[K] } = {
    bytes_in: 0,
    frames_in: 0,
    frames_out: 0,
    discarded_bytes: 0,
    invalid: 0,
    unknown: 0,
    late_replies: 0,
    unsolicited_replies: 0,
    error_replies: 0,
    timeouts: 0,
    refused_sends: 0,
    connects: 0,
    takeovers: 0,
  };
  readonly tally = new Tally();
  #changed = true;
  #nextAt = Number.NEGATIVE_INFINITY;

  /** To be called after every change of `counts`. */
  touch(): void {
    this.#changed = true;
  }

  discarded({ count, reason }: Discarded): void {
    this.counts.discarded_bytes += count;
    countUp(this.tally.discardedBytes, reason, count);
    this.touch();
  }

  /** The link is of no use any more, or could not be opened. */
  lost(reason: string): void {
    countUp(this.tally.linkLosses, reason, 1);
  }

  /** A heartbeat that was out alone came back. */
  answered(roundTripMs: number): void {
    this.counts.round_trip_ms = Math.round(roundTripMs * 10) / 10;
    this.tally.answered(roundTripMs);
  }

  nextDeadline(): number {
    return this.#changed ? this.#nextAt : Number.POSITIVE_INFINITY;
  }

  /** The document where it is due. */
  takeDue(monoMs: number): StatsDocument | undefined {
    if (!this.#changed || monoMs < this.#nextAt) return undefined;
    this.#changed = false;
    this.#nextAt = monoMs + PUBLISH_EVERY_MS;
    return { ...this.counts };
  }
}
