import type { StatsDocument } from '../../contract/feed/index.ts';
import type { Discarded } from '../../protocol/index.ts';

/** Counts of all devices are published on one beat, so that those of many go out together. */
const BEAT_MS = 1_000;
const MOST_BEATS = 10;

/**
 * Counts, and says when they are due to be published: on a beat of the monotonic clock after they changed, at most once
 * in each interval of the device. The first ones are due at once.
 */
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
  /** Not before. */
  #nextAt = Number.NEGATIVE_INFINITY;
  /** When the present change is due, once it was seen. */
  #dueAt: number | undefined;
  #published = false;
  readonly #intervalMs: number;

  /** A change is published within so long, or a beat where that is longer, or where there are no heartbeats. */
  constructor(intervalMs = BEAT_MS) {
    this.#intervalMs = Math.min(Math.max(Math.ceil(intervalMs / BEAT_MS), 1), MOST_BEATS) * BEAT_MS;
  }

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
    return this.#changed ? (this.#dueAt ?? this.#nextAt) : Number.POSITIVE_INFINITY;
  }

  /** The document where it is due. */
  takeDue(monoMs: number): StatsDocument | undefined {
    if (!this.#changed) return undefined;
    this.#dueAt ??= this.#published ? Math.max(this.#nextAt, Math.ceil(monoMs / BEAT_MS) * BEAT_MS) : monoMs;
    if (monoMs < this.#dueAt) return undefined;
    this.#changed = false;
    this.#dueAt = undefined;
    this.#nextAt = Math.floor(monoMs / BEAT_MS) * BEAT_MS + (this.#published ? this.#intervalMs : BEAT_MS);
    this.#published = true;
    return { ...this.counts };
  }
}

/** Upper bounds of the round trips that are counted together, in ms. */
export const ROUND_TRIP_BOUNDS_MS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000,
];

/** How often each thing of a kind was seen; a plain object would fall for names like `__proto__`. */
type CountsByName = Map<string, number>;

/** Counts of a device by kind, which are not published: what metrics tell beyond the document of `stats`. */
export class Tally {
  readonly discardedBytes: CountsByName = new Map();
  /** Links that were lost or could not be opened, by the code that says why. */
  readonly linkLosses: CountsByName = new Map();
  /** Links over which the device came up. */
  lives = 0;
  /** One count for each of `ROUND_TRIP_BOUNDS_MS`, and one for all that took longer; not cumulative. */
  readonly roundTrips: number[] = new Array<number>(ROUND_TRIP_BOUNDS_MS.length + 1).fill(0);
  roundTripSumMs = 0;

  answered(roundTripMs: number): void {
    const bucket = ROUND_TRIP_BOUNDS_MS.findIndex((bound) => roundTripMs <= bound);
    const index = bucket === -1 ? ROUND_TRIP_BOUNDS_MS.length : bucket;
    this.roundTrips[index] = (this.roundTrips[index] ?? 0) + 1;
    this.roundTripSumMs += roundTripMs;
  }

  /** Adds what another device, or another life of the same one, has counted. */
  add(other: Tally): void {
    for (const [reason, count] of other.discardedBytes) countUp(this.discardedBytes, reason, count);
    for (const [reason, count] of other.linkLosses) countUp(this.linkLosses, reason, count);
    for (const [index, count] of other.roundTrips.entries())
      this.roundTrips[index] = (this.roundTrips[index] ?? 0) + count;
    this.roundTripSumMs += other.roundTripSumMs;
    this.lives += other.lives;
  }
}

function countUp(counts: CountsByName, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
