/** Upper bounds of the round trips that are counted together, in ms. */
export const ROUND_TRIP_BOUNDS_MS: readonly number[] = [
  1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000,
];

/** How often each thing of a kind was seen; a plain object would fall for names like `__proto__`. */
export type CountsByName = Map<string, number>;

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

export function countUp(counts: CountsByName, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
