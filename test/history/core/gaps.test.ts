import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Evidence, gapsOf } from '../../../src/history/core/gaps.ts';

const base: Evidence = {
  runs: [{ from: 0, to: Infinity }],
  statuses: [{ t: 0, status: 'online' }],
  drops: [],
  marks: [],
  first: 0,
};
const online = (t: number) => ({ t, status: 'online' });
const offline = (t: number, reason?: string) => ({ t, status: 'offline', reason });

describe('the gaps of a field', () => {
  it.each<[string, Partial<Evidence>, number[], ReturnType<typeof gapsOf>]>([
    ['are none where values came', {}, [10, 20], []],
    ['are none where a value did not change for long', {}, [10], []],
    [
      'have the reason of the status',
      { statuses: [online(0), offline(30, 'heartbeat_missed'), online(60)] },
      [10, 70],
      [[30, 60, 'heartbeat_missed']],
    ],
    [
      'have the status for a reason where it has none',
      { statuses: [online(0), offline(30)] },
      [10],
      [[30, 100, 'offline']],
    ],
    [
      'go on where one bad status follows another',
      { statuses: [{ t: 20, status: 'stale', reason: 'silent' }, offline(30, 'x'), online(50)] },
      [10],
      [[20, 50, 'silent']],
    ],
    ['begin behind the last value in them', { statuses: [offline(30, 'x')] }, [10, 45], [[45, 100, 'x']]],
    [
      'are the times in which the bridge did not run',
      {
        runs: [
          { from: 0, to: 20 },
          { from: 50, to: Infinity },
        ],
      },
      [10, 60],
      [[20, 50, 'bridge_not_running']],
    ],
    [
      'are what could not be written',
      { drops: [[20, 40, 'history_disk_full']] },
      [10, 60],
      [[20, 40, 'history_disk_full']],
    ],
    [
      'last from an invalid value to the next good one',
      { marks: [{ t: 20, reason: 'invalid' }] },
      [10, 60],
      [[20, 60, 'invalid']],
    ],
    [
      'last to the end where no good value came',
      { marks: [{ t: 20, reason: 'stale' }] },
      [10],
      [[20, 100, 'stale']],
    ],
    ['are the time before the first value', { first: 40 }, [40], [[0, 40, 'not_kept']]],
    ['are all of it where nothing is kept', { first: undefined }, [], [[0, 100, 'not_kept']]],
    [
      'with one reason join',
      {
        drops: [
          [20, 30, 'a'],
          [30, 40, 'a'],
        ],
      },
      [],
      [[20, 40, 'a']],
    ],
    [
      'lie side by side where they overlap',
      {
        runs: [
          { from: 0, to: 20 },
          { from: 50, to: Infinity },
        ],
        statuses: [offline(10, 'x'), online(70)],
      },
      [],
      [
        [10, 20, 'x'],
        [20, 50, 'bridge_not_running'],
        [50, 70, 'x'],
      ],
    ],
  ])('%s', (_, evidence, t, expected) => {
    expect(gapsOf({ ...base, ...evidence }, t, 0, 0, 100)).toEqual(expected);
  });

  it('never overlap, stay in the span, and hold no value', () => {
    const moment = fc.integer({ min: -50, max: 250 });
    const span = fc.tuple(moment, moment).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const evidence = fc.record({
      runs: fc.array(span.map(([from, to]) => ({ from, to }))),
      statuses: fc
        .array(fc.record({ t: moment, status: fc.constantFrom('online', 'offline', 'stale') }))
        .map((rows) => rows.sort((a, b) => a.t - b.t)),
      drops: fc.array(span.map(([from, to]) => [from, to, 'full'] as const)),
      marks: fc.array(fc.record({ t: moment, reason: fc.constant('invalid') })),
      first: fc.option(moment, { nil: undefined }),
    });
    fc.assert(
      fc.property(evidence, fc.array(fc.integer({ min: 0, max: 199 })), (found, times) => {
        const t = times.sort((a, b) => a - b);
        const gaps = gapsOf(found, t, 0, 0, 200);
        let end = 0;
        for (const [from, to] of gaps) {
          expect(from).toBeGreaterThanOrEqual(end);
          expect(to).toBeGreaterThan(from);
          expect(t.some((each) => each > from && each < to)).toBe(false);
          end = to;
        }
        expect(end).toBeLessThanOrEqual(200);
      }),
    );
  });
});
