import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../bench/support/random.ts';
import {
  type ClockEstimate,
  nextExchangeAt,
  observe,
  present,
} from '../../../src/devices/core/clock-estimate.ts';
import type { Instant } from '../../../src/instant.ts';

const WALL = Date.UTC(2026, 10, 21, 0, 7, 36);

/** Our clocks: the wall clock is read in whole ms, as `Date.now()` is. */
function instant(monoMs: number, wallOffsetMs = WALL): Instant {
  return { monoMs, wallMs: Math.floor(monoMs + wallOffsetMs) };
}

/** A device whose clock is `offsetMs` ahead of our wall clock and runs `ppm` too fast. */
function device(offsetMs: number, ppm = 0) {
  const ahead = (monoMs: number) => offsetMs + monoMs * ppm * 1e-6;
  return {
    ahead,
    says: (monoMs: number) => Math.floor((monoMs + WALL + ahead(monoMs)) / 1_000) * 1_000,
  };
}

function covers(estimate: ClockEstimate, now: Instant, truthMs: number): boolean {
  const { offset_ms, bound_ms } = present(estimate, now);
  return Math.abs(truthMs - offset_ms) <= bound_ms;
}

describe('one exchange', () => {
  it.each([
    // deviceWallMs - WALL, sent, received, offset, bound
    [0, 0, 0, 500, 501],
    [0, 0, 4, 498, 503],
    [-3_600_000, 100, 140, -3_599_620, 521],
    [7_000, 1_000, 2_000, 6_000, 1_001],
  ])('T = %d, sent %d, received %d: %d give or take %d', (told, sent, received, offset_ms, bound_ms) => {
    const estimate = observe(undefined, {
      deviceWallMs: WALL + told,
      sent: instant(sent),
      received: instant(received),
    });
    const presented = present(estimate, instant(received));
    expect(presented.samples).toBe(1);
    // Half a ms for the wall clock's own resolution, half for rounding.
    expect(Math.abs(presented.offset_ms - offset_ms)).toBeLessThanOrEqual(1);
    expect(presented.bound_ms).toBeGreaterThanOrEqual(bound_ms - 1);
    expect(presented.bound_ms).toBeLessThanOrEqual(bound_ms + 1);
  });
});

describe('several exchanges', () => {
  it('never claim a bound that leaves out the truth', () => {
    const exchanges = fc.array(
      fc.record({
        pauseMs: fc.double({ min: 0, max: 120_000, noNaN: true }),
        rttMs: fc.double({ min: 0, max: 3_000, noNaN: true }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        aimed: fc.boolean(),
      }),
      { minLength: 1, maxLength: 20 },
    );
    const offset = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    const ppm = fc.double({ min: -199, max: 199, noNaN: true });
    fc.assert(
      fc.property(exchanges, offset, ppm, (steps, offsetMs, drift) => {
        const peer = device(offsetMs, drift);
        let estimate: ClockEstimate | undefined;
        let monoMs = 1_000;
        for (const { pauseMs, rttMs, share, aimed } of steps) {
          const earliest = monoMs + pauseMs;
          const sentMs = aimed ? nextExchangeAt(estimate, instant(monoMs), rttMs, earliest) : earliest;
          const deviceWallMs = peer.says(sentMs + share * rttMs);
          monoMs = sentMs + rttMs;
          const samples: number = estimate?.samples ?? 0;
          estimate = observe(estimate, { deviceWallMs, sent: instant(sentMs), received: instant(monoMs) });
          expect(estimate.samples).toBe(samples + 1);
          expect(covers(estimate, instant(monoMs), peer.ahead(monoMs))).toBe(true);
          expect(covers(estimate, instant(monoMs + 60_000), peer.ahead(monoMs + 60_000))).toBe(true);
        }
      }),
    );
  });

  it('narrow to a few ms in ten, at round trips of 2 to 4 ms', () => {
    const bounds: number[] = [];
    for (let seed = 1; seed <= 200; seed++) {
      const random = seededRandom(seed);
      const peer = device((random() - 0.5) * 1e6, (random() - 0.5) * 400);
      let estimate: ClockEstimate | undefined;
      let monoMs = random() * 1e6;
      for (let exchange = 0; exchange < 10; exchange++) {
        const sentMs = nextExchangeAt(estimate, instant(monoMs), 3, monoMs + 500);
        const rttMs = 2 + 2 * random();
        const deviceWallMs = peer.says(sentMs + random() * rttMs);
        monoMs = sentMs + rttMs;
        estimate = observe(estimate, { deviceWallMs, sent: instant(sentMs), received: instant(monoMs) });
      }
      if (estimate === undefined) throw new Error('ten exchanges made no estimate');
      expect(covers(estimate, instant(monoMs), peer.ahead(monoMs))).toBe(true);
      expect(estimate.samples).toBe(10);
      bounds.push(present(estimate, instant(monoMs)).bound_ms);
    }
    bounds.sort((a, b) => a - b);
    expect(bounds[100]).toBeLessThanOrEqual(8);
    expect(bounds[190]).toBeLessThanOrEqual(16);
  });

  it('teach nothing new when always sent at the same phase', () => {
    const peer = device(250);
    let estimate: ClockEstimate | undefined;
    for (let exchange = 0; exchange < 10; exchange++) {
      const sentMs = exchange * 1_000;
      const received = instant(sentMs + 2);
      estimate = observe(estimate, { deviceWallMs: peer.says(sentMs + 1), sent: instant(sentMs), received });
    }
    expect(estimate && present(estimate, instant(9_002)).bound_ms).toBeGreaterThan(499);
  });
});

describe('starting anew', () => {
  const first = observe(undefined, { deviceWallMs: WALL, sent: instant(0), received: instant(10) });

  it('when the device was set to another time', () => {
    const exchange = { deviceWallMs: WALL + 90_000, sent: instant(3_000), received: instant(3_010) };
    expect(observe(first, exchange)).toEqual(observe(undefined, exchange));
  });

  it('when our wall clock jumped against the monotonic one', () => {
    for (const jump of [5_000, -5_000, 100]) {
      const set = WALL + jump;
      const exchange = {
        deviceWallMs: WALL + 3_000,
        sent: instant(3_000, set),
        received: instant(3_010, set),
      };
      expect(observe(first, exchange).samples).toBe(1);
    }
  });

  it('but not when the wall clock is only disciplined', () => {
    const slewed = WALL + 4;
    const exchange = {
      deviceWallMs: WALL + 3_000,
      sent: instant(3_000, slewed),
      received: instant(3_010, slewed),
    };
    expect(observe(first, exchange).samples).toBe(2);
  });

  it('asks again at once, for the aim is lost', () => {
    expect(nextExchangeAt(first, instant(3_000, WALL + 5_000), 10, 3_200)).toBe(3_200);
    expect(nextExchangeAt(undefined, instant(3_000), 10, 3_200)).toBe(3_200);
  });
});

describe('before the next exchange', () => {
  const peer = device(250);
  const estimate = observe(undefined, {
    deviceWallMs: peer.says(5),
    sent: instant(0),
    received: instant(10),
  });

  it('a wall clock that was set leaves the truth inside', () => {
    for (const jump of [7_000, -7_000]) {
      expect(covers(estimate, instant(1_000, WALL + jump), 250 - jump)).toBe(true);
    }
  });

  it('a machine that slept leaves the truth inside', () => {
    expect(covers(estimate, instant(1_000, WALL + 7_000), 250)).toBe(true);
  });

  it('so does one that slept during the exchange', () => {
    const slept = observe(undefined, {
      deviceWallMs: peer.says(5),
      sent: instant(0),
      received: instant(10, WALL + 7_000),
    });
    expect(covers(slept, instant(10, WALL + 7_000), 250)).toBe(true);
  });
});

describe('the time of the next exchange', () => {
  it('is never before the earliest, nor more than a second after it, and meets the predicted roll-over', () => {
    const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
    fc.assert(
      fc.property(number(-1e6, 1e6), number(0, 400), number(0, 1e5), (offset, rttMs, waitMs) => {
        const peer = device(offset);
        const sent = instant(2_000);
        const received = instant(2_000 + rttMs);
        const estimate = observe(undefined, { deviceWallMs: peer.says(2_000), sent, received });
        const earliest = received.monoMs + waitMs;
        const at = nextExchangeAt(estimate, received, rttMs, earliest);
        expect(at).toBeGreaterThanOrEqual(earliest);
        expect(at).toBeLessThanOrEqual(earliest + 1_001);
        const middle = present(estimate, instant(at)).offset_ms + WALL;
        const phase = (((at + rttMs / 2 + middle) % 1_000) + 1_000) % 1_000;
        expect(Math.min(phase, 1_000 - phase)).toBeLessThan(3);
      }),
    );
  });

  it('does not look into the past', () => {
    expect(nextExchangeAt(undefined, instant(9_000), 3, 1_000)).toBe(9_000);
  });
});
