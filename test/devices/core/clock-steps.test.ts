import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../bench/support/random.ts';
import {
  type ClockEstimate,
  nextExchangeAt,
  observe,
  present,
} from '../../../src/devices/core/clock-estimate.ts';
import type { Instant } from '../../../src/instant.ts';

const WALL = Date.UTC(2026, 2, 3, 4, 5, 6);
const instant = (monoMs: number): Instant => ({ monoMs, wallMs: Math.floor(monoMs + WALL) });

/** A device whose clock drifts, and is set now and then; its one-way delays are `delayMs` and up to `jitterMs` more. */
interface Peer {
  readonly seed: number;
  readonly everyMs: number;
  readonly ppm: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  /** So many ms it is set by, after so many exchanges each. */
  readonly steps: readonly { readonly afterExchange: number; readonly byMs: number }[];
}

interface Outcome {
  /** Of each step: how many exchanges whose answer came after it had a false bound. */
  readonly falseAfterStep: readonly number[];
  readonly falseBefore: number;
  readonly bounds: readonly number[];
}

const EXCHANGES = 80;

function simulate({ seed, everyMs, ppm, delayMs, jitterMs, steps }: Peer): Outcome {
  const random = seededRandom(seed);
  let offset = (random() - 0.5) * 1e9;
  const ahead = (monoMs: number) => offset + monoMs * ppm * 1e-6;
  const falseAfterStep: number[] = [];
  let falseBefore = 0;
  const bounds: number[] = [];
  let estimate: ClockEstimate | undefined;
  let sentAt = random() * 10_000;
  for (let exchange = 0; exchange < EXCHANGES; exchange++) {
    const step = steps.find(({ afterExchange }) => afterExchange === exchange);
    // Now and then a step falls between the device's answer and its arrival: that answer was true when it was given.
    const lateStep = step !== undefined && random() < 0.1;
    if (step !== undefined && !lateStep) {
      offset += step.byMs;
      falseAfterStep.push(0);
    }
    const readAt = sentAt + delayMs + jitterMs * random();
    const receivedAt = readAt + delayMs + jitterMs * random();
    const deviceWallMs = Math.floor((readAt + WALL + ahead(readAt)) / 1_000) * 1_000;
    estimate = observe(estimate, { deviceWallMs, sent: instant(sentAt), received: instant(receivedAt) });
    const { offset_ms, bound_ms } = present(estimate, instant(receivedAt));
    if (Math.abs(ahead(receivedAt) - offset_ms) > bound_ms) {
      const count = falseAfterStep.pop();
      if (count === undefined) falseBefore += 1;
      else falseAfterStep.push(count + 1);
    }
    if (step !== undefined && lateStep) {
      offset += step.byMs;
      falseAfterStep.push(0);
    }
    bounds.push(bound_ms);
    const next = nextExchangeAt(estimate, instant(receivedAt), receivedAt - sentAt, receivedAt + everyMs);
    // A timer is late by up to 2 ms.
    sentAt = next + 2 * random();
  }
  return { falseAfterStep, falseBefore, bounds };
}

/** Peers of every kind; a third has quick answers, a third slow ones, a third jitter of up to 500 ms. */
function peers(count: number, stepMs: (random: () => number) => number): Peer[] {
  return Array.from({ length: count }, (_, index) => {
    const random = seededRandom(10_000 + index);
    const jitterMs = [3, 50, 500][index % 3] ?? 0;
    return {
      seed: index + 1,
      everyMs: random() < 0.5 ? 10_000 : 60_000,
      ppm: (random() - 0.5) * 2_000,
      delayMs: 0.5 + random(),
      jitterMs: jitterMs * random(),
      steps: [15, 40, 43, 60].map((afterExchange) => ({
        afterExchange: afterExchange + Math.floor(random() * 3),
        byMs: stepMs(random),
      })),
    };
  });
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

describe('a clock that is set', () => {
  const within = (ms: number) => (random: () => number) => (random() - 0.5) * 2 * ms;

  it.each([
    ['-2 s to +2 s', 1_000, within(2_000)],
    ['less than a second', 300, within(999)],
    ['a few ms, which hardly any exchange shows', 300, within(40)],
  ])('by %s: at most two exchanges after a step have a false bound', (_, count, stepMs) => {
    const outcomes = peers(count, stepMs).map(simulate);
    const after = outcomes.flatMap(({ falseAfterStep }) => falseAfterStep);
    expect(Math.max(...after)).toBeLessThanOrEqual(2);
    expect(outcomes.filter(({ falseBefore }) => falseBefore > 0)).toEqual([]);
    // Or nothing was tried: an offset that is not known well cannot be false.
    expect(after.filter((each) => each > 0).length).toBeGreaterThan(count / 10);
  });

  it('is known again as before after 20 exchanges', () => {
    const peer = {
      everyMs: 10_000,
      ppm: 300,
      delayMs: 1,
      jitterMs: 2,
      steps: [{ afterExchange: 30, byMs: 400 }],
    };
    const outcomes = Array.from({ length: 100 }, (_, seed) => simulate({ ...peer, seed }));
    expect(median(outcomes.flatMap(({ bounds }) => bounds.slice(50)))).toBeLessThan(20);
  });
});

describe('a clock that is not set', () => {
  it.each([
    // every, ppm, delay, jitter: the median bound
    [500, 200, 1, 1, 7],
    [10_000, 200, 1, 1, 12],
    [60_000, 1_000, 1, 1, 22],
    [60_000, 200, 10, 20, 90],
    [10_000, 1_000, 0.5, 500, 650],
  ])(
    'every %d ms, %d ppm, a delay of %d ms and %d more: the median bound is at most %d ms',
    (everyMs, ppm, delayMs, jitterMs, bound) => {
      const outcomes = Array.from({ length: 60 }, (_, seed) =>
        simulate({ seed, everyMs, ppm, delayMs, jitterMs, steps: [] }),
      );
      const bounds = outcomes.flatMap((outcome) => outcome.bounds.slice(25));
      expect(outcomes.filter(({ falseBefore }) => falseBefore > 0)).toEqual([]);
      expect(median(bounds)).toBeLessThanOrEqual(bound);
    },
  );
});
