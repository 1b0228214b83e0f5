import type { Instant } from '../instant.ts';

/*
 * What can honestly be said about a clock that tells only whole seconds.
 *
 * One exchange says that somewhere between `sent` and `received` the device's clock stood in [T, T + 1 s). So
 * device minus ours lies in (T - received, T + 1 s - sent): half a second and half a round trip around the middle.
 * Several exchanges narrow it by intersection, fastest when the device's second rolls over inside the exchange:
 * each then tells on which side of the middle the truth lies, like a bisection.
 *
 *      low |---------------- mid ----------------| high      feasible offsets
 *                         [sent  received]                   aimed so that the second rolls over here, if mid is true
 *
 * The interval is kept against our monotonic clock, which nobody sets; the wall clock enters only where it is
 * presented. A machine that slept shows as a wall clock that ran ahead of the monotonic one, and so does a wall
 * clock that was set: the two cannot be told apart, so the estimate starts anew after either.
 */

/** How far two clocks may drift apart: 200 ms in 1,000 s. */
const DRIFT = 200e-6;
const SECOND_MS = 1_000;
/** The wall clock is read in whole ms: the truth is up to so much later. */
const WALL_RESOLUTION_MS = 1;
/** Wall against monotonic clock: what reading and disciplining them (500 ppm) may explain. */
const JUMP_FLOOR_MS = 20;
const SLEW = 500e-6;

/** One question for the time, and its answer. */
export interface ClockExchange {
  /** What the device said, as Unix epoch ms: whole seconds, cut off, not rounded. */
  readonly deviceWallMs: number;
  readonly sent: Instant;
  readonly received: Instant;
}

/** Immutable; made by `observe`, read by `present`. */
export interface ClockEstimate {
  /** Least and greatest possible value of the device's clock minus our monotonic clock, at `at`. */
  readonly lowMs: number;
  readonly highMs: number;
  readonly at: Instant;
  /** Exchanges that agree; 1 after starting anew. */
  readonly samples: number;
}

/** As it stands in the state document: the device's clock minus our wall clock is `offset_ms`, give or take `bound_ms`. */
export interface PresentedClock {
  readonly offset_ms: number;
  readonly bound_ms: number;
  readonly samples: number;
}

/** Wall minus monotonic clock, gained between two instants: beyond what is explained, else 0. */
function jumpMs(from: Instant, to: Instant): number {
  const elapsedMs = to.monoMs - from.monoMs;
  const gainedMs = to.wallMs - from.wallMs - elapsedMs;
  return Math.abs(gainedMs) > JUMP_FLOOR_MS + SLEW * Math.abs(elapsedMs) ? gainedMs : 0;
}

function widened(estimate: ClockEstimate, to: Instant): { lowMs: number; highMs: number } {
  const byMs = DRIFT * Math.max(0, to.monoMs - estimate.at.monoMs);
  return { lowMs: estimate.lowMs - byMs, highMs: estimate.highMs + byMs };
}

/** Takes in one exchange; starts anew where it contradicts the estimate, or where our own clocks jumped since. */
export function observe(estimate: ClockEstimate | undefined, exchange: ClockExchange): ClockEstimate {
  const { deviceWallMs, sent, received } = exchange;
  const jumpedMs = jumpMs(sent, received);
  const driftMs = DRIFT * (received.monoMs - sent.monoMs);
  const fresh: ClockEstimate = {
    lowMs: deviceWallMs - received.monoMs - driftMs,
    // If the machine slept during the exchange, the answer may be older than the monotonic clock says.
    highMs: deviceWallMs + SECOND_MS - sent.monoMs + driftMs + Math.max(0, jumpedMs),
    at: received,
    samples: 1,
  };
  if (estimate === undefined || jumpedMs !== 0 || jumpMs(estimate.at, received) !== 0) return fresh;
  const before = widened(estimate, received);
  const lowMs = Math.max(before.lowMs, fresh.lowMs);
  const highMs = Math.min(before.highMs, fresh.highMs);
  return lowMs > highMs ? fresh : { lowMs, highMs, at: received, samples: estimate.samples + 1 };
}

/**
 * What can be claimed at `now`, in whole ms, rounded so that the truth stays inside. The bound grows with time, so
 * present it when an exchange was observed, not with every change of the document.
 */
export function present(estimate: ClockEstimate, now: Instant): PresentedClock {
  const jumpedMs = jumpMs(estimate.at, now);
  const { lowMs, highMs } = widened(estimate, now);
  const wallMinusMonoMs = now.wallMs - now.monoMs;
  // After a jump: if our wall clock was set, the interval holds; if we slept, the device's clock went on meanwhile.
  const low = lowMs + Math.min(0, jumpedMs) - wallMinusMonoMs - WALL_RESOLUTION_MS;
  const high = highMs + Math.max(0, jumpedMs) - wallMinusMonoMs;
  const offset = Math.round((low + high) / 2);
  return {
    // Never the negative zero, which JSON and comparisons see differently.
    offset_ms: offset === 0 ? 0 : offset,
    bound_ms: Math.ceil(Math.max(high - offset, offset - low)),
    samples: estimate.samples,
  };
}

/**
 * When to send the next request, in ms of the monotonic clock: not before `earliestMonoMs`, and at most a second
 * later, so that the device's second rolls over in the middle of an exchange of `rttMs` if the middle of the
 * estimate is true.
 */
export function nextExchangeAt(
  estimate: ClockEstimate | undefined,
  now: Instant,
  rttMs: number,
  earliestMonoMs: number,
): number {
  const earliest = Math.max(now.monoMs, earliestMonoMs);
  if (estimate === undefined || jumpMs(estimate.at, now) !== 0) return earliest;
  const { lowMs, highMs } = widened(estimate, { ...now, monoMs: earliest });
  const middleMs = (lowMs + highMs) / 2;
  // Narrower than the round trip, its middle would teach nothing: aim with one edge of the exchange, then the other.
  const narrow = highMs - lowMs < 1.25 * rttMs;
  const share = narrow ? estimate.samples % 2 : 0.5;
  const leadMs = share * rttMs;
  const rollOver = Math.ceil((earliest + leadMs + middleMs) / SECOND_MS) * SECOND_MS - middleMs;
  return Math.max(earliest, rollOver - leadMs);
}
