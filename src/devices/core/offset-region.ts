/*
 * Which offsets and rates of a clock agree with what was seen of it.
 *
 * A clock that is not set is a line: offset(t) = offset + rate * (t - at). What an exchange says of it is two
 * half-planes over (offset, rate), so several exchanges leave a convex polygon; an empty one says that they contradict
 * each other. Offset and rate are kept together because a rate of 1,000 ppm is 60 ms a minute: three exchanges around
 * the roll-over of a second bound it far better than the assumed maximum does.
 */

/** What one exchange says: at `receivedAt` the offset is at least `lowMs`, at `sentAt` it is at most `highMs`. */
export interface OffsetBounds {
  readonly lowMs: number;
  readonly receivedAt: number;
  readonly highMs: number;
  readonly sentAt: number;
}

export interface OffsetRange {
  readonly lowMs: number;
  readonly highMs: number;
}

/** How far two clocks may drift apart: 1.2 s in 1,000 s. */
const MAX_RATE = 1_200e-6;
/** How much the rate of a clock may change while the same exchanges are looked at. */
const MAX_RATE_CHANGE = 5e-6;
/** A double that holds ms since 1970 is exact to 0.0003 ms. */
const ROUNDING_MS = 0.002;

type Vertex = { readonly offset: number; readonly rate: number };

/** The lines that agree with some exchanges; never empty. Offsets are relative to `baseMs`, at the instant `at`. */
export class OffsetRegion {
  readonly #vertices: readonly Vertex[];
  readonly #baseMs: number;
  readonly #at: number;

  private constructor(vertices: readonly Vertex[], baseMs: number, at: number) {
    this.#vertices = vertices;
    this.#baseMs = baseMs;
    this.#at = at;
  }

  /** Undefined where no line agrees with all of them. */
  static of(exchanges: readonly OffsetBounds[]): OffsetRegion | undefined {
    const newest = exchanges.at(-1);
    if (newest === undefined) return undefined;
    const { lowMs: baseMs, receivedAt: at } = newest;
    const highest = newest.highMs - baseMs + MAX_RATE * (at - newest.sentAt) + ROUNDING_MS;
    let vertices: readonly Vertex[] = [
      { offset: -ROUNDING_MS, rate: -MAX_RATE },
      { offset: highest, rate: -MAX_RATE },
      { offset: highest, rate: MAX_RATE },
      { offset: -ROUNDING_MS, rate: MAX_RATE },
    ];
    for (const { lowMs, receivedAt, highMs, sentAt } of exchanges) {
      const slackMs = ROUNDING_MS + MAX_RATE_CHANGE * (at - sentAt);
      vertices = atMost(vertices, highMs - baseMs + slackMs, sentAt - at);
      vertices = atLeast(vertices, lowMs - baseMs - slackMs, receivedAt - at);
    }
    return vertices.length === 0 ? undefined : new OffsetRegion(vertices, baseMs, at);
  }

  /** Least and greatest offset at an instant of the monotonic clock. */
  rangeAt(monoMs: number): OffsetRange {
    const offsets = this.#vertices.map(({ offset, rate }) => offset + rate * (monoMs - this.#at));
    const slackMs = MAX_RATE_CHANGE * Math.max(0, monoMs - this.#at);
    return {
      lowMs: this.#baseMs + Math.min(...offsets) - slackMs,
      highMs: this.#baseMs + Math.max(...offsets) + slackMs,
    };
  }
}

/** Cuts off what is above `limit` after `ms`. */
function atMost(vertices: readonly Vertex[], limit: number, ms: number): readonly Vertex[] {
  return clipped(vertices, ({ offset, rate }) => limit - offset - rate * ms);
}

/** Cuts off what is below `limit` after `ms`. */
function atLeast(vertices: readonly Vertex[], limit: number, ms: number): readonly Vertex[] {
  return clipped(vertices, ({ offset, rate }) => offset + rate * ms - limit);
}

/** Sutherland-Hodgman with one edge: keeps the part of a convex polygon where `inside` is not negative. */
function clipped(vertices: readonly Vertex[], inside: (vertex: Vertex) => number): readonly Vertex[] {
  const kept: Vertex[] = [];
  let before = vertices.at(-1);
  for (const vertex of vertices) {
    if (before === undefined) break;
    const from = inside(before);
    const to = inside(vertex);
    if (from < 0 !== to < 0) {
      const share = from / (from - to);
      kept.push({
        offset: before.offset + share * (vertex.offset - before.offset),
        rate: before.rate + share * (vertex.rate - before.rate),
      });
    }
    if (to >= 0) kept.push(vertex);
    before = vertex;
  }
  return kept;
}
