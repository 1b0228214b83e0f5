import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/contract/wire/index.ts';
import { joinDevices, joinEvents, joinGaps, joinValues } from '../../../src/history/core/join-answers.ts';

const HEAD = { device: 'meter', field: 'line.volts', type: 'number', from: 0, to: 100, resolution_ms: 0 };
const answer = (times: readonly number[], gaps: readonly unknown[] = [], more: object = {}): JsonObject =>
  ({ ...HEAD, points: times.map((t) => [t, t, t, t]), gaps, ...more }) as JsonObject;
const of = (...answers: readonly JsonObject[]) =>
  new Map(answers.map((each, index) => [`i${index}`, each] as const));
const timesIn = (joined: JsonObject = {}) =>
  (joined.points as ReadonlyArray<readonly unknown[]>).map(([t]) => t);

describe('values of a device that was at several instances', () => {
  it('are those of one that had it all the time, wherever it was cut', () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 30 });
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 100 }), (all, cut) => {
        all.sort((a, b) => a - b);
        const parts = of(answer(all.filter((t) => t < cut)), answer(all.filter((t) => t >= cut)));
        expect(joinValues(parts, 'all')).toEqual(answer(all));
      }),
    );
  });

  it.each<[string, unknown[], unknown[], unknown[]]>([
    ['the move is one gap', [[40, 100, 'moved']], [[0, 60, 'not_kept']], [[40, 60, 'moved']]],
    [
      'a gap of the former one stays',
      [
        [10, 20, 'stale'],
        [40, 100, 'moved'],
      ],
      [[0, 60, 'not_kept']],
      [
        [10, 20, 'stale'],
        [40, 60, 'moved'],
      ],
    ],
    [
      'a gap of the new one stays, where the former one was killed and knows nothing of it',
      [],
      [
        [0, 60, 'not_kept'],
        [70, 80, 'heartbeat_missed'],
      ],
      [
        [30, 60, 'not_kept'],
        [70, 80, 'heartbeat_missed'],
      ],
    ],
    [
      'the end of the new one counts',
      [[40, 100, 'moved']],
      [
        [0, 60, 'not_kept'],
        [95, 100, 'offline'],
      ],
      [
        [40, 60, 'moved'],
        [95, 100, 'offline'],
      ],
    ],
  ])('%s', (_, north, south, expected) => {
    const parts = of(answer([5, 30], north), answer([60, 90], south));
    expect(joinValues(parts, 500)?.gaps).toEqual(expected);
  });

  it('say why where no instance has any', () => {
    const parts = of(
      answer([], [[0, 100, 'not_kept']]),
      answer(
        [],
        [
          [0, 50, 'offline'],
          [50, 100, 'not_kept'],
        ],
      ),
    );
    expect(joinValues(parts, 500)?.gaps).toEqual([
      [0, 50, 'offline'],
      [50, 100, 'not_kept'],
    ]);
    // The value that held before the span goes on.
    expect(joinValues(of(answer([], [[0, 100, 'not_kept']]), answer([])), 500)?.gaps).toEqual([]);
  });

  it('are thinned where they are too many together', () => {
    const joined = joinValues(of(answer([1, 2, 3, 4]), answer([51, 52, 53, 54])), 4);
    expect(timesIn(joined)).toEqual([0, 50]);
    expect(joined?.points).toEqual([
      [0, 1, 4, 4],
      [50, 51, 54, 54],
    ]);
    expect(joined?.resolution_ms).toBe(50);
  });

  it('come in parts that end where the first instance has more', () => {
    const joined = joinValues(of(answer([1, 2], [], { next: 30 }), answer([20, 40, 60])), 'all');
    expect(joined).toMatchObject({ next: 30 });
    expect(timesIn(joined)).toEqual([1, 2, 20]);
  });

  it('are those of the last declaration', () => {
    const joined = joinValues(of(answer([1], [], { unit: 'mV' }), answer([9], [], { unit: 'V' })), 500);
    expect([joined?.unit, timesIn(joined)]).toEqual(['V', [9]]);
  });

  it('of texts begin with the one that held', () => {
    const text = (points: readonly unknown[]) =>
      ({ ...HEAD, type: 'text', from: 10, points, gaps: [] }) as JsonObject;
    const joined = joinValues(
      of(
        text([
          [2, null, null, 'old'],
          [20, null, null, 'b'],
        ]),
        text([
          [8, null, null, 'a'],
          [30, null, null, 'c'],
        ]),
      ),
      500,
    );
    expect(timesIn(joined)).toEqual([8, 20, 30]);
  });

  it('have gaps in order, none over another, all within the span', () => {
    const gaps = fc.uniqueArray(fc.integer({ min: 0, max: 100 }), { maxLength: 12 }).map((edges) => {
      edges.sort((a, b) => a - b);
      return Array.from(
        { length: edges.length >> 1 },
        (_, i) => [edges[2 * i], edges[2 * i + 1], 'stale'] as const,
      );
    });
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 5 });
    const part = fc.tuple(gaps, times).map(([found, t]) => ({
      gaps: found as ReadonlyArray<readonly [number, number, string]>,
      first: t.length === 0 ? undefined : Math.min(...t),
      last: t.length === 0 ? undefined : Math.max(...t),
    }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        let end = 0;
        for (const [from, to] of joinGaps(parts, 0, 100)) {
          expect(from).toBeGreaterThanOrEqual(end);
          expect(to).toBeGreaterThan(from);
          end = to;
          // Some instance says so itself.
          expect(parts.some((each) => each.gaps.some(([a, b]) => a <= from && b > from))).toBe(true);
        }
        expect(end).toBeLessThanOrEqual(100);
      }),
    );
  });
});

describe('events of several instances', () => {
  interface Row {
    readonly at: number;
    readonly n: number;
  }
  /** What one instance answers: the last `limit` rows before a place, as its database does. */
  const page = (rows: readonly Row[], limit: number, before?: string): JsonObject => {
    const [t = Infinity, id = 0] = before?.split('.').map(Number) ?? [];
    const older = rows.filter((each) => each.at < t || (each.at === t && each.n < id));
    const shown = older.slice(-limit);
    const [first] = shown;
    const more = first !== undefined && older.length > shown.length;
    return {
      events: shown.map((each) => ({ ...each })),
      ...(more ? { before: `${first.at}.${first.n}` } : {}),
    };
  };

  it('come page by page, each once and in order', () => {
    const rows = fc
      .array(fc.integer({ min: 0, max: 20 }), { maxLength: 25 })
      .map((times) => times.sort((a, b) => a - b).map((at, index): Row => ({ at, n: index + 1 })));
    fc.assert(
      fc.property(
        fc.array(rows, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 7 }),
        (all, limit) => {
          const found: JsonObject[] = [];
          let places: ReadonlyMap<string, string> | undefined;
          for (let round = 0; round < 200; round++) {
            const answers = new Map<string, JsonObject>();
            for (const [index, each] of all.entries()) {
              const place = places?.get(`i${index}`);
              if (places === undefined || place !== undefined)
                answers.set(`i${index}`, page(each, limit, place));
            }
            const joined = joinEvents(answers, limit);
            found.unshift(...joined.events);
            places = joined.places;
            if (places.size === 0) break;
          }
          expect(places?.size).toBe(0);
          const times = found.map(({ at }) => Number(at));
          expect(times).toEqual([...times].sort((a, b) => a - b));
          for (const [index, each] of all.entries())
            expect(found.filter(({ instance }) => instance === `i${index}`).map(({ n }) => n)).toEqual(
              each.map(({ n }) => n),
            );
        },
      ),
    );
  });
});

it('a device that was at two instances is one, seen first at the one and last at the other', () => {
  const north = {
    device: 'a',
    first_seen: 1,
    last_seen: 5,
    connections: 2,
    disconnections: 2,
    fields: [{ field: 'x', unit: 'mV' }, { field: 'y' }],
  };
  const south = {
    device: 'a',
    first_seen: 6,
    last_seen: 9,
    connections: 1,
    disconnections: 0,
    fields: [{ field: 'x', unit: 'V' }],
  };
  const other = { device: 'b', connections: 0, disconnections: 0 };
  expect(joinDevices(of({ devices: [north] }, { devices: [other, south] }))).toEqual({
    devices: [
      {
        device: 'a',
        first_seen: 1,
        last_seen: 9,
        connections: 3,
        disconnections: 2,
        fields: [{ field: 'x', unit: 'V' }, { field: 'y' }],
      },
      other,
    ],
  });
});
