import type { Instant } from '../../instant.ts';
import { type OffsetBounds, type OffsetRange, OffsetRegion } from './offset-region.ts';

/*
 * What can honestly be said about a clock that reports only whole seconds, and that may be set at any time.
 *
 * One exchange says that somewhere between `sent` and `received` the device's clock stood in [T, T + 1 s). Clocks do
 * not run backwards, so device minus ours is at least T - received at `received`, and less than T + 1 s - sent at
 * `sent`. Several exchanges narrow it by intersection, fastest when the device's second rolls over inside the exchange:
 * each then shows on which side of the middle the truth lies, like a bisection.
 *
 *      low |---------------- mid ----------------| high      feasible offsets
 *                         [sent  received]                   aimed so that the second rolls over here, if mid is true
 *
 * A step of less than a second shows only in an exchange on the right side of the roll-over: after +400 ms, one just
 * behind it looks as before. So what is believed and what is claimed are two things. The belief is what all recent
 * exchanges leave, and it says when to ask next. The claim rests on the last three exchanges alone: the third one after
 * a step forgets what was before, whether or not the step was seen. The claim stays narrow because the exchanges are
 * aimed: short before the roll-over, which bounds the offset from above, and short behind it, which bounds it from
 * below, as the claim needs it.
 *
 * Offsets are kept against our monotonic clock, which is never set; the wall clock enters only where they are
 * presented. A machine that slept shows as a wall clock that ran ahead of the monotonic one, and so does a wall
 * clock that was set: the two cannot be told apart, so the estimate starts again after either.
 */

const SECOND_MS = 1_000;
/** A claim is never older: two exchanges after a step are the most that can be wrong. */
const CLAIMED = 3;
/** What the next exchange is aimed by. */
const BELIEVED = 16;
/** In round trips: a belief of this width gains nothing more by bisection. */
const NARROW = 1.5;
/** A claim that one more exchange would leave so much wider than the belief, in its widths, misses one side. */
const ONE_SIDED = 2;
/** How much of a wide belief an exchange for the missing side has on that side: likely it is there, else it is news. */
const LIKELY = 0.8;
/** In round trips: how far beside the expected roll-over an exchange stays, to be on its side of it. */
const MARGIN = 0.4;
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
  /** The last ones, which agree with each other; the newest is last. */
  readonly exchanges: readonly OffsetBounds[];
  readonly at: Instant;
  /** Exchanges that agree; 1 after a new start. */
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

/** Takes in one exchange; starts again where it contradicts the estimate, or where our own clocks jumped since. */
export function observe(estimate: ClockEstimate | undefined, exchange: ClockExchange): ClockEstimate {
  const { deviceWallMs, sent, received } = exchange;
  const jumpedMs = jumpMs(sent, received);
  const bounds: OffsetBounds = {
    lowMs: deviceWallMs - received.monoMs,
    receivedAt: received.monoMs,
    // If the machine slept during the exchange, the answer may be older than the monotonic clock says.
    highMs: deviceWallMs + SECOND_MS - sent.monoMs + Math.max(0, jumpedMs),
    sentAt: sent.monoMs,
  };
  const fresh: ClockEstimate = { exchanges: [bounds], at: received, samples: 1 };
  if (estimate === undefined || jumpedMs !== 0 || jumpMs(estimate.at, received) !== 0) return fresh;
  const exchanges = [...estimate.exchanges, bounds].slice(-BELIEVED);
  if (OffsetRegion.of(exchanges) === undefined) return fresh;
  return { exchanges, at: received, samples: estimate.samples + 1 };
}

/** What the last `count` exchanges leave at an instant. */
function range(estimate: ClockEstimate, count: number, monoMs: number): OffsetRange {
  const region = OffsetRegion.of(estimate.exchanges.slice(-count));
  return region?.rangeAt(monoMs) ?? { lowMs: Number.NEGATIVE_INFINITY, highMs: Number.POSITIVE_INFINITY };
}

/**
 * What can be claimed at `now`, in whole ms, rounded so that the truth stays inside. The bound grows with time, so
 * present it when an exchange was observed, not with every change of the document.
 */
export function present(estimate: ClockEstimate, now: Instant): PresentedClock {
  const jumpedMs = jumpMs(estimate.at, now);
  const { lowMs, highMs } = range(estimate, CLAIMED, now.monoMs);
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
 * later, so that the device's second rolls over near the exchange if the estimate is true. `rttMs` is what the last
 * exchange took.
 */
export function nextExchangeAt(
  estimate: ClockEstimate | undefined,
  now: Instant,
  rttMs: number,
  earliestMonoMs: number,
): number {
  const earliest = Math.max(now.monoMs, earliestMonoMs);
  if (estimate === undefined || jumpMs(estimate.at, now) !== 0) return earliest;
  const belief = range(estimate, BELIEVED, earliest);
  const roundTrips = estimate.exchanges.slice(-CLAIMED).map(({ sentAt, receivedAt }) => receivedAt - sentAt);
  const longest = Math.max(rttMs, ...roundTrips);
  const { offsetMs, leadMs } = aim(estimate, belief, longest, earliest);
  const rollOver = Math.ceil((earliest + leadMs + offsetMs) / SECOND_MS) * SECOND_MS - offsetMs;
  return Math.max(earliest, rollOver - leadMs);
}

/** Asks `leadMs` before the roll-over that is to be expected if the offset is `offsetMs`. */
interface Aim {
  readonly offsetMs: number;
  readonly leadMs: number;
}

function aim(estimate: ClockEstimate, belief: OffsetRange, rttMs: number, atMs: number): Aim {
  const { lowMs, highMs } = belief;
  const widthMs = highMs - lowMs;
  // What the claim will rest on besides the next exchange.
  const kept = range(estimate, CLAIMED - 1, atMs);
  const missingAbove = kept.highMs - highMs;
  const missingBelow = lowMs - kept.lowMs;
  const wide = widthMs > NARROW * rttMs;
  if (wide && Math.max(missingAbove, missingBelow) <= ONE_SIDED * widthMs)
    return { offsetMs: (lowMs + highMs) / 2, leadMs: rttMs / 2 };
  const shareMs = wide ? LIKELY * widthMs : widthMs;
  // The higher the offset, the earlier the second rolls over.
  if (missingAbove >= missingBelow) return { offsetMs: lowMs + shareMs, leadMs: MARGIN * rttMs };
  return { offsetMs: highMs - shareMs, leadMs: (1 - MARGIN) * rttMs };
}
