import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Audience } from '../../../src/feed/core/audience.ts';
import { FeedStore } from '../../../src/feed/core/store.ts';
import type { Subscriber } from '../../../src/feed/core/subscriber.ts';
import { Subscriptions } from '../../../src/feed/core/subscriptions.ts';
import { FlushLoop } from '../../../src/feed/hub/flush-loop.ts';
import { DEFAULT_FEED_LIMITS } from '../../../src/feed/hub/limits.ts';
import type { Instant } from '../../../src/instant.ts';
import { Arrivals } from '../../../src/system/arrivals.ts';
import { BridgeFace } from '../../support/bridge-face.ts';
import { DOORS, DoorClient } from '../../support/door-client.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ask } from '../../support/http.ts';
import { plainFramer } from '../../support/plain-framer.ts';

function setUp(
  subscribers: number,
  flushMs: number | (() => number),
  arrivals?: Arrivals,
): {
  store: FeedStore;
  clock: FakeClock;
  loop: FlushLoop;
  audience: Audience;
  all: readonly Subscriber[];
  written: () => number;
  received: () => { events: number; gaps: number };
} {
  const clock = new FakeClock();
  const store = new FeedStore({ epoch: 'e' });
  let writes = 0;
  let gaps = 0;
  let events = 0;
  const audience = new Audience(store, plainFramer, {
    pending: (what) => loop.request(what),
    paced: () => undefined,
    overfull: () => loop.overfull(),
  });
  const flush = (subscriber: Subscriber, now: Instant): void => {
    clock.advance(typeof flushMs === 'number' ? flushMs : flushMs());
    subscriber.flush(now);
  };
  const loop = new FlushLoop(audience, clock, flush, 0, arrivals);
  const text = new TextDecoder();
  const sink = {
    unsent: 0,
    write: (bytes: Uint8Array) => {
      writes++;
      gaps += text.decode(bytes).split('"type":"gap"').length - 1;
      events += text.decode(bytes).split('"type":"event"').length - 1;
      return 0;
    },
  };
  const all = Array.from({ length: subscribers }, () => audience.admit(sink));
  for (const subscriber of all) audience.assign(subscriber, new Subscriptions(['a']), clock.now());
  return { store, clock, loop, audience, all, written: () => writes, received: () => ({ events, gaps }) };
}

describe('a flush window', () => {
  it('holds for what is published after it was set', async () => {
    const { store, written, clock, loop } = setUp(1, 0);
    loop.follow(50);
    store.publishState('a', { n: 1 });
    await turn();
    await turn();
    expect(written()).toBe(0);
    clock.advance(50);
    await turn();
    await turn();
    expect(written()).toBe(1);
    loop.follow(0);
    store.publishState('a', { n: 2 });
    await turn();
    await turn();
    expect(written()).toBe(2);
  });

  it.each(DOORS)('applies to present subscribers over %s', async (door) => {
    const clock = new FakeClock();
    await using face = await BridgeFace.open({ feed: { clock } });
    using client = await DoorClient.follow(door, face, ['a']);
    const received = () => client.view.documents().a?.n;
    face.follow({ ...DEFAULT_FEED_LIMITS, flushWindowMs: 200 });
    face.store.publishState('a', { n: 1 });
    // What goes out at once would be here by then.
    await ask(face.port, '/api/devices');
    await ask(face.port, '/api/devices');
    expect(received()).toBeUndefined();
    clock.advance(200);
    await expect.poll(received).toBe(1);
  });
});

describe('a pass over many subscribers', () => {
  it('writes once per subscriber, whatever a turn brings', async () => {
    const { store, written } = setUp(10, 0);
    for (let n = 0; n < 5; n++) store.publishState('a', { n });
    expect(written()).toBe(0);
    await turn();
    await turn();
    expect(written()).toBe(10);
  });

  it('lets the loop turn after 256 of them', async () => {
    const { store, written } = setUp(600, 0);
    store.publishState('a', {});
    const after: number[] = [];
    while ((after.at(-1) ?? 0) < 600) {
      await turn();
      after.push(written());
    }
    expect([...new Set(after)].filter((count) => count > 0)).toEqual([256, 512, 600]);
  });

  it('lets the loop turn after 4 ms', async () => {
    const { store, written } = setUp(100, 1);
    store.publishState('a', {});
    const after: number[] = [];
    while ((after.at(-1) ?? 0) < 100) {
      await turn();
      after.push(written());
    }
    expect([...new Set(after)].filter((count) => count > 0)).toEqual([16, 32, 48, 64, 80, 96, 100]);
  });

  it.each([
    [40_000, 3, [2, 4, 5]],
    [20_000, 3, [4, 5]],
    [100, 3, [5]],
  ])('looks at the time sooner where each has a backlog of %d bytes', async (bytes, flushMs, expected) => {
    const { store, written, all } = setUp(5, flushMs);
    store.publishState('a', { text: 'x'.repeat(bytes) });
    while (written() < 5) await turn();
    for (const subscriber of all) subscriber.startSnapshot(['a'], undefined);
    const after: number[] = [];
    while ((after.at(-1) ?? 0) < 5) {
      await turn();
      after.push(written() - 5);
    }
    expect([...new Set(after)].filter((count) => count > 0)).toEqual(expected);
  });

  it('leaves what is published meanwhile to the next pass, in order', async () => {
    const { store, written } = setUp(600, 0);
    store.publishState('a', { n: 1 });
    while (written() === 0) await turn();
    store.publishState('a', { n: 2 });
    while (written() < 1_200) await turn();
    await turn();
    expect(written()).toBe(1_200);
  });

  it('puts what all share before the backlogs of single ones, and forgets none of these', async () => {
    const { store, clock, loop, audience, written } = setUp(1, 0);
    const slow = { writes: 0 };
    const sink = {
      unsent: 0,
      write: ({ length }: Uint8Array) => {
        if (length < 70_000) return 0;
        clock.advance(3);
        slow.writes++;
        return 0;
      },
    };
    const behind = Array.from({ length: 50 }, () => audience.admit(sink));
    for (const subscriber of behind) audience.assign(subscriber, new Subscriptions(['b']), clock.now());
    store.publishState('b', { text: 'x'.repeat(70_000) });
    while (slow.writes < 50) await turn();
    // The pass took long; what is shared next would wait for that.
    clock.advance(25);
    for (const subscriber of behind) subscriber.startSnapshot(['b'], undefined);
    loop.request('own');
    await turn();
    const late: number[] = [];
    for (let n = 0; slow.writes < 100; n++) {
      const [before, begun] = [slow.writes, written()];
      store.publishState('a', { n });
      while (written() === begun) await turn();
      late.push(slow.writes - before);
    }
    expect(late.length).toBeGreaterThan(10);
    expect(Math.max(...late)).toBeLessThanOrEqual(3);
    expect(slow.writes).toBe(100);
  });

  it('loses nothing of a burst in one turn for a subscriber that takes it, also in the middle of a pass', async () => {
    const { store, written, received } = setUp(300, 0);
    store.publishEvent('a', { n: 0 });
    while (written() === 0) await turn();
    for (let n = 1; n <= 10_000; n++) store.publishEvent('a', { n });
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(received()).toEqual({ events: 300 * 10_001, gaps: 0 });
  });
});

describe('the window between two passes', () => {
  const turns = async (count = 4): Promise<void> => {
    for (let at = 0; at < count; at++) await turn();
  };

  /**
   * Passes over 16 subscribers, each of [ms without a change before it, what it costs]; how long each change waited.
   */
  const waits = async (passes: readonly (readonly [number, number])[]): Promise<number[]> => {
    const cost = { eachMs: 0 };
    const { store, clock, written } = setUp(16, () => cost.eachMs);
    const waited: number[] = [];
    for (const [n, [idleMs, costMs]] of passes.entries()) {
      clock.advance(idleMs);
      cost.eachMs = costMs / 16;
      const publishedAtMs = clock.now().monoMs;
      store.publishState('a', { n });
      while (written() === n * 16) {
        await turns();
        if (written() === n * 16) clock.advance(0.5);
      }
      while (written() < (n + 1) * 16) await turn();
      await turns();
      waited.push(clock.now().monoMs - publishedAtMs - costMs);
    }
    return waited;
  };
  const times = <const T>(count: number, each: T): T[] => Array.from({ length: count }, () => each);

  it.each([
    ['none where passes are short', times(6, [0, 0.5]), [0, 0, 0, 0, 0, 0]],
    ['none where passes take less than a quarter of the time', times(6, [10, 3]), [0, 0, 0, 0, 0, 0]],
    ['three times the cost, however long that lasts', times(50, [0, 2]), [0, 0, ...times(48, 6)]],
    ['25 ms at most', times(5, [0, 100]), [0, 0, 25, 25, 25]],
    [
      'not longer after a single pass that took long',
      [...times(3, [0, 2]), [0, 50], ...times(3, [0, 2])],
      [0, 0, 6, 6, 6, 6, 6],
    ],
    [
      'shorter as soon as the cost shrinks',
      [...times(3, [0, 8]), ...times(3, [0, 3]), [0, 0.5], [0, 0.5]],
      [0, 0, 24, 24, 9, 9, 9, 0],
    ],
    [
      'shorter by the time in which nothing changed',
      [...times(3, [0, 5]), [13, 5], [0, 5]],
      [0, 0, 15, 2, 15],
    ],
    ['none after a longer pause', [...times(3, [0, 5]), [16, 5], [16, 5]], [0, 0, 15, 0, 0]],
  ] as const)('is %s', async (_, passes, expected) => {
    expect(await waits(passes)).toEqual(expected);
  });

  it('lets changes of that time go out in one write', async () => {
    const { store, clock, written } = setUp(10, 1);
    for (let n = 0; n < 2; n++) {
      store.publishState('a', { n });
      while (written() < 10 * (n + 1)) await turn();
      await turns();
    }
    store.publishState('a', { n: 2 });
    store.publishState('a', { n: 3 });
    await turns();
    expect(written()).toBe(20);
    clock.advance(25);
    while (written() < 30) await turn();
    await turns();
    expect(written()).toBe(30);
  });

  it('holds up no answer, and no alarm', async () => {
    const { store, clock, audience, all, written } = setUp(10, 1);
    const alarms = { written: 0 };
    const sink = { unsent: 0, write: () => alarms.written++ && 0 };
    const subscriber = audience.admit(sink);
    audience.assign(subscriber, new Subscriptions(['devices/+/alarms']), clock.now());
    for (let n = 0; n < 5; n++) {
      store.publishState('a', { n });
      for (await turns(); written() < 10 * (n + 1); await turns()) clock.advance(1);
    }
    store.publishState('a', { n: 5 });
    await turns();
    expect(written()).toBe(50);
    all[0]?.answer('pong', { timestamp: 1 }, clock.now());
    await turns();
    // The subscriber that asked gets its answer, and what came before it; all others wait.
    expect(written()).toBe(51);
    store.publishEvent('devices/d/alarms', { alarm: 'x' });
    await turns();
    expect(alarms.written).toBe(1);
  });

  it('loses nothing, keeps the order, and ends, whatever comes', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('publish' as const) },
      { weight: 1, arbitrary: fc.constant('alarm' as const) },
      { weight: 1, arbitrary: fc.constant('answer' as const) },
      { weight: 1, arbitrary: fc.constant('snapshot' as const) },
      { weight: 3, arbitrary: fc.constant('turn' as const) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 30 }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom(0, 0.2, 1, 5),
        fc.constantFrom(0, 40),
        async (steps, flushMs, windowMs) => {
          const { store, clock, loop, audience, all } = setUp(8, flushMs);
          loop.follow(windowMs);
          const seen: number[] = [];
          const sink = {
            unsent: 0,
            write: (bytes: Uint8Array) => {
              for (const [, n] of new TextDecoder().decode(bytes).matchAll(/"n":(\d+)/g))
                seen.push(Number(n));
              return 0;
            },
          };
          const watched = audience.admit(sink);
          audience.assign(watched, new Subscriptions(['e', 'devices/d/alarms']), clock.now());
          let published = 0;
          for (const each of steps) {
            if (each === 'publish') store.publishEvent('e', { n: published++ });
            else if (each === 'alarm') {
              store.publishEvent('devices/d/alarms', { n: published++ });
              await turns(40);
              // An alarm does not wait, nor does what was published before it.
              expect(seen.length).toBe(published);
            } else if (each === 'answer') {
              watched.answer('pong', { timestamp: 1 }, clock.now());
              await turns(40);
              expect(seen.length).toBe(published);
            } else if (each === 'snapshot') all[0]?.startSnapshot(['a'], undefined);
            else if (each === 'turn') await turn();
            else clock.advance(each);
          }
          for (let round = 0; round < 3; round++) {
            clock.advance(65);
            await turns(40);
          }
          expect(seen).toEqual(Array.from({ length: published }, (_, at) => at));
          expect(audience.pending).toBe(false);
        },
      ),
      { numRuns: 60, seed: 6 },
    );
  });

  it('leaves half of the time to others, however fast changes come', async () => {
    const { store, clock, written } = setUp(10, 1);
    const startedAtMs = clock.now().monoMs;
    for (let n = 0; n < 400; n++) {
      const before = written();
      store.publishState('a', { n });
      await turns(2);
      if (written() === before) clock.advance(1);
    }
    const passes = written() / 10;
    const elapsedMs = clock.now().monoMs - startedAtMs;
    expect(passes).toBeGreaterThan(10);
    expect((passes * 10) / elapsedMs).toBeLessThan(0.6);
  });
});

describe('a pass while devices come in', () => {
  /** Turns in each of which a device comes in, of so many ms; after each, how many subscribers were written to. */
  const storm = async (turnMs: number, turns: number): Promise<number[]> => {
    const arrivals = new Arrivals();
    const { store, clock, written } = setUp(2_560, 0, arrivals);
    store.publishState('a', { n: 1 });
    const after: number[] = [];
    for (let count = 0; count < turns; count++) {
      arrivals.arrived(clock.now().monoMs);
      await turn();
      after.push(written());
      clock.advance(turnMs);
    }
    return after;
  };
  /** In which turns something was written. */
  const writing = (after: readonly number[]): number[] =>
    after.flatMap((count, index) => (count > (after[index - 1] ?? 0) ? [index] : []));
  const gaps = (turns: readonly number[]): Set<number> =>
    new Set(turns.slice(1).map((each, index) => each - (turns[index] ?? 0)));

  it.each([
    ['2 ms, where many come in that time', 0.1, 20],
    ['2 turns, where one takes a while', 1, 2],
    ['1 turn, where turns are slow', 3, 1],
  ])('makes a slice only after %s', async (_, turnMs, turnsBetween) => {
    const turns = writing(await storm(turnMs, 400));
    expect(turns.length).toBeGreaterThan(3);
    for (const gap of gaps(turns)) expect(Math.abs(gap - turnsBetween)).toBeLessThanOrEqual(1);
  });

  it('goes on at once when none came in this turn', async () => {
    const arrivals = new Arrivals();
    const { store, clock, written } = setUp(600, 0, arrivals);
    store.publishState('a', { n: 1 });
    arrivals.arrived(clock.now().monoMs);
    await turn();
    await turn();
    await turn();
    await turn();
    expect(written()).toBe(600);
  });

  it('writes what came meanwhile together', async () => {
    const arrivals = new Arrivals();
    const { store, clock, written } = setUp(10, 0, arrivals);
    for (let n = 0; n < 20; n++) {
      arrivals.arrived(clock.now().monoMs);
      store.publishState('a', { n });
      await turn();
    }
    // The first of them at once; all others behind the storm.
    expect(written()).toBe(10);
    await turn();
    await turn();
    expect(written()).toBe(20);
  });
});
