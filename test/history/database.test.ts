import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync as readFile,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryDatabase } from '../../src/history/history-database.ts';
import type { Query } from '../../src/history/query.ts';
import { NewerDatabaseError } from '../../src/history/schema.ts';
import { availableDrivers, openSql, SqlError } from '../../src/history/sql.ts';
import { batchOf, nameOf, statusOf } from '../support/history-batches.ts';

const DAY = 86_400_000;
const T0 = 1_796_000_000_000;
const LARGE = { keepMs: 30 * DAY, budgetBytes: 1e9 };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-db-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Answered {
  readonly unit?: string;
  readonly resolution_ms: number;
  readonly points: readonly (readonly [number, number, number, number])[];
  readonly gaps: readonly (readonly [number, number, string])[];
  readonly next?: number;
}

describe.each(availableDrivers())('the database over %s', (driver) => {
  const file = () => join(folder, 'history.db');
  const made = (more = {}) =>
    new HistoryDatabase({ file: file(), epoch: 'e', version: '1', driver, ...LARGE, ...more });
  /** Opened, used and closed; `crash`: let go of without a word. */
  function use<T>(act: (database: HistoryDatabase) => T, now = T0, more = {}): T {
    const database = made(more);
    database.open(now);
    const result = act(database);
    database.close(now + 1_000_000);
    return result;
  }
  const ask = (database: HistoryDatabase, query: Partial<Query & { kind: 'values' }>): Answered =>
    // The shape of an answer to this kind of query.
    database.answer({
      kind: 'values',
      device: 'd',
      field: 'a.x',
      from: T0,
      to: T0 + DAY,
      points: 1_000,
      ...query,
    }) as unknown as Answered;
  const lasts = ({ points }: Answered) => points.map(([, , , last]) => last);
  const settle = (database: HistoryDatabase, now: number): void => {
    for (let steps = 0; database.work(now); steps++) expect(steps).toBeLessThan(10_000);
  };

  it('gives back what was written, at once and after it was closed', () => {
    use((database) => {
      database.write(
        batchOf(
          [
            [1, T0 + 1, 1.5],
            [2, T0 + 1, 7],
            [1, T0 + 2, 2.5],
          ],
          { names: [nameOf(1, 'd', 'a.x', 'V'), nameOf(2, 'd', 'a.y')] },
        ),
      );
      expect(ask(database, {})).toMatchObject({
        unit: 'V',
        resolution_ms: 0,
        points: [
          [T0 + 1, 1.5, 1.5, 1.5],
          [T0 + 2, 2.5, 2.5, 2.5],
        ],
      });
    });
    use((database) => {
      expect(lasts(ask(database, {}))).toEqual([1.5, 2.5]);
      expect(lasts(ask(database, { field: 'a.y' }))).toEqual([7]);
    }, T0 + 2_000_000);
  });

  it('keeps numbers of series apart over runs', () => {
    use((database) => database.write(batchOf([[1, T0, 1]], { names: [nameOf(1, 'd', 'a.x')] })));
    use((database) => {
      database.write(batchOf([[1, T0 + 5, 2]], { names: [nameOf(1, 'other', 'a.x')] }));
      expect(lasts(ask(database, {}))).toEqual([1]);
      expect(lasts(ask(database, { device: 'other' }))).toEqual([2]);
    }, T0 + 2_000_000);
  });

  it('never shows values of one unit under another', () => {
    use((database) => {
      database.write(batchOf([[1, T0 + 10, 21]], { names: [nameOf(1, 'd', 'a.x', '°C')] }));
      database.write(batchOf([[2, T0 + 20, 294]], { names: [nameOf(2, 'd', 'a.x', 'K')] }));
      const answer = ask(database, { to: T0 + 30 });
      expect(answer).toMatchObject({ unit: 'K', points: [[T0 + 20, 294, 294, 294]] });
    });
  });

  it('has every value once after chunks were written and the process ended', () => {
    const crashed = made();
    crashed.open(T0);
    const expected: number[] = [];
    crashed.write(batchOf([], { names: [nameOf(1, 'd', 'a.x'), nameOf(2, 'd', 'a.y')] }));
    for (let second = 0; second < 50; second++) {
      const rows = Array.from(
        { length: 10 },
        (_, index) => [1, T0 + second * 1_000 + index * 100, second * 10 + index] as const,
      );
      expected.push(...rows.map(([, , value]) => value));
      crashed.write(batchOf([...rows, [2, T0 + second * 1_000, second]]));
      crashed.work(T0);
    }
    // Not closed: only what was committed is there.
    const copy = `${file()}.copy`;
    for (const end of ['', '-wal'])
      if (existsSync(`${file()}${end}`)) writeFileSync(`${copy}${end}`, readFile(`${file()}${end}`));
    const next = made({ file: copy });
    const { recovered } = next.open(T0 + 60_000);
    expect(recovered).toBe(500 - 260 + 50);
    expect(lasts(ask(next, {}))).toEqual(expected);
    expect(lasts(ask(next, { field: 'a.y' }))).toHaveLength(50);
    next.close(T0 + 70_000);
    crashed.close(T0);
  });

  it('thins by age, and loses no extreme', () => {
    use((database) => {
      database.write(batchOf([], { names: [nameOf(1, 'd', 'a.x')] }));
      const values: number[] = [];
      for (let minute = 0; minute < 10; minute++) {
        const rows = Array.from(
          { length: 600 },
          (_, index) =>
            [
              1,
              T0 + minute * 60_000 + index * 100,
              Math.round(1_000 * Math.sin(minute * 600 + index)) / 10,
            ] as const,
        );
        values.push(...rows.map(([, , value]) => value));
        database.write(batchOf(rows));
      }
      const extremes = (answer: Answered) => [
        Math.min(...answer.points.map(([, min]) => min)),
        Math.max(...answer.points.map(([, , max]) => max)),
        answer.points.at(-1)?.[3],
      ];
      const expected = [Math.min(...values), Math.max(...values), values.at(-1)];
      settle(database, T0 + 1_000);
      expect(ask(database, { points: 10_000 })).toMatchObject({ resolution_ms: 0 });
      // Behind a later value, so that all of it is in chunks.
      const rest = Array.from({ length: 256 }, (_, index) => [1, T0 + 20 * DAY + index, 0] as const);
      database.write(batchOf(rest));
      settle(database, T0 + 2 * DAY);
      const seconds = ask(database, { points: 10_000 });
      expect([seconds.resolution_ms, seconds.points.length]).toEqual([1_000, 600]);
      expect(extremes(seconds)).toEqual(expected);
      settle(database, T0 + 9 * DAY);
      const minutes = ask(database, { points: 10_000 });
      expect(minutes.resolution_ms).toBe(60_000);
      expect(minutes.points.length).toBeLessThanOrEqual(11);
      expect(extremes(minutes)).toEqual(expected);
      settle(database, T0 + 31 * DAY);
      expect(ask(database, {}).points).toEqual([]);
    });
  });

  it('stays within its budget, and loses the oldest first', () => {
    use((database) => {
      const budget = 300_000;
      database.limit({ keepMs: 365 * DAY, budgetBytes: budget });
      database.write(batchOf([], { names: [nameOf(1, 'd', 'a.x')] }));
      for (let part = 0; part < 200; part++) {
        const rows = Array.from(
          { length: 256 },
          (_, index) => [1, T0 + part * 256 + index, Math.sin(part * 256 + index)] as const,
        );
        database.write(batchOf(rows));
        database.limit({ keepMs: 365 * DAY, budgetBytes: budget });
        settle(database, T0);
      }
      expect(database.bytes).toBeLessThan(budget * 1.2);
      const { points, gaps } = ask(database, { points: 'all', to: T0 + 200 * 256 });
      expect(points.at(-1)?.[0]).toBe(T0 + 200 * 256 - 1);
      expect(points.length).toBeGreaterThan(10_000);
      expect(gaps[0]).toEqual([T0, points[0]?.[0], 'not_kept']);
    });
  });

  it('answers a year with ten points, and ten thousand fields each with its own', () => {
    use((database) => {
      const names = Array.from({ length: 10_000 }, (_, index) => nameOf(index + 1, 'd', `a.f${index}`));
      database.write(
        batchOf(
          names.map(({ sid }) => [sid, T0, sid]),
          { names },
        ),
      );
      database.write(batchOf(names.map(({ sid }) => [sid, T0 + 1_000, -sid])));
      expect(lasts(ask(database, { field: 'a.f9999' }))).toEqual([10_000, -10_000]);
      const year = ask(database, { field: 'a.f7', from: T0 - 364 * DAY, to: T0 + DAY, points: 1 });
      expect(year.points).toMatchObject([[expect.any(Number), -8, 8, -8]]);
      settle(database, T0);
      expect(lasts(ask(database, { field: 'a.f0' }))).toEqual([1, -1]);
    });
  });

  it('holds a bounded journal, though nothing is done between two batches', () => {
    const journalBytes = 100_000;
    const fields = 200;
    const rounds = 200;
    const act = (database: HistoryDatabase): void => {
      const names = Array.from({ length: fields }, (_, index) => nameOf(index + 1, 'd', `a.f${index}`));
      database.write(batchOf([], { names }));
      const journal = openSql(file(), { driver, readOnly: true });
      const size = journal.prepare('SELECT sum(length(data)) AS n FROM journal');
      let most = 0;
      for (let round = 0; round < rounds; round++) {
        const at = T0 + round * 1_000;
        database.write(batchOf(Array.from({ length: fields }, (_, index) => [index + 1, at, round])));
        most = Math.max(most, Number(size.get()?.n));
      }
      journal.close();
      // Without a bound it were 800,000.
      expect(most).toBeGreaterThan(journalBytes);
      expect(most).toBeLessThanOrEqual(2 * journalBytes);
      const answer = ask(database, { field: 'a.f199', to: T0 + rounds * 1_000, points: 'all' });
      expect(lasts(answer)).toEqual(Array.from({ length: rounds }, (_, index) => index));
    };
    use(act, T0, { journalBytes });
  });

  it('takes a clock that goes back, and shows times in order', () => {
    use((database) => {
      database.write(
        batchOf(
          [
            [1, T0 + 5_000, 1],
            [1, T0 + 2_000, 2],
          ],
          { names: [nameOf(1, 'd', 'a.x')] },
        ),
      );
      database.write(batchOf([[1, T0 + 3_000, 3]]));
      expect(ask(database, {}).points.map(([t]) => t - T0)).toEqual([2_000, 3_000, 5_000]);
    });
    use((database) => expect(lasts(ask(database, {}))).toEqual([2, 3, 1]), T0 - 3_600_000);
  });

  it('has the gaps of a text too, and one that lasts from before the span', () => {
    use((database) => {
      const names = ['a.mode', 'a.name'].map(
        (field, index) => ({ ...nameOf(index + 1, 'd', field), type: 'text' }) as const,
      );
      const events = [statusOf(T0, 'd', 'online'), statusOf(T0 + 5_000, 'd', 'offline', 'link_reset')];
      const texts = names.map(({ sid }) => [sid, T0 + 1_000, 'idle'] as const);
      database.write(batchOf([], { names, events, texts, marks: [[1, T0 + 2_000, 'invalid']] }));
      const gaps = (field: string, from: number) =>
        ask(database, { field, from: T0 + from, to: T0 + from + 500, points: 1 }).gaps.map(
          ([, , why]) => why,
        );
      expect([gaps('a.mode', 1_500), gaps('a.mode', 3_000)]).toEqual([[], ['invalid']]);
      expect([gaps('a.name', 3_000), gaps('a.name', 6_000)]).toEqual([[], ['link_reset']]);
      expect(gaps('a.name', 0)).toEqual(['not_kept']);
    });
  });

  it('gives long answers in parts, without one twice', () => {
    use((database) => {
      database.write(batchOf([], { names: [nameOf(1, 'd', 'a.x')] }));
      for (let part = 0; part < 30; part++)
        database.write(
          batchOf(
            Array.from({ length: 4_000 }, (_, index) => [1, T0 + part * 4_000 + index, part * 4_000 + index]),
          ),
        );
      const got: number[] = [];
      for (let from: number | undefined = T0; from !== undefined; ) {
        const part: Answered = ask(database, { from, points: 'all' });
        got.push(...lasts(part));
        from = part.next;
      }
      expect(got).toEqual(Array.from({ length: 120_000 }, (_, index) => index));
    });
  });

  it('counts when devices were seen, and how often they were gone', () => {
    const link = (t: number, status: string, was: string) => ({
      t,
      device: 'd',
      kind: 'link' as const,
      data: JSON.stringify({ status, was }),
    });
    const devices = (database: HistoryDatabase) =>
      database.answer({ kind: 'devices', topics: ['#'] })?.devices;
    use((database) => {
      database.write(
        batchOf([], {
          at: T0 + 9_000,
          events: [
            link(T0, 'connected', 'connecting'),
            statusOf(T0 + 1_000, 'd', 'online'),
            link(T0 + 2_000, 'backoff', 'connected'),
            statusOf(T0 + 2_000, 'd', 'offline', 'link_lost'),
            link(T0 + 3_000, 'connected', 'connecting'),
            statusOf(T0 + 4_000, 'd', 'online'),
          ],
        }),
      );
      expect(devices(database)).toEqual([
        { device: 'd', first_seen: T0 + 1_000, last_seen: T0 + 9_000, connections: 2, disconnections: 1 },
      ]);
    }, T0);
    // It was online when the run ended.
    use(
      (database) => expect(devices(database)).toMatchObject([{ first_seen: T0 + 1_000, connections: 2 }]),
      T0 + 2 * DAY,
    );
  });

  it('shows of the events what the patterns cover, newest last, in parts', () => {
    use((database) => {
      database.write(
        batchOf([], {
          at: T0,
          events: Array.from({ length: 25 }, (_, index) =>
            statusOf(T0 + index, index % 2 === 0 ? 'mine' : 'theirs', `s${index}`),
          ),
        }),
      );
      const events = (more = {}) =>
        database.answer({
          kind: 'events',
          from: T0,
          to: T0 + DAY,
          limit: 5,
          topics: ['devices/mine/#'],
          ...more,
        }) as unknown as {
          events: { device: string; status: string }[];
          before?: string;
        };
      const last = events();
      expect(last.events.map(({ status }) => status)).toEqual(['s16', 's18', 's20', 's22', 's24']);
      const [t = 0, id = 0] = (last.before ?? '').split('.').map(Number);
      expect(events({ before: [t, id] }).events.map(({ status }) => status)).toEqual([
        's6',
        's8',
        's10',
        's12',
        's14',
      ]);
      expect(events({ limit: 100 }).before).toBeUndefined();
      expect(events({ topics: [] }).events).toEqual([]);
    });
  });

  it('writes nothing of a batch that fails, and goes on with the next', () => {
    use((database) => {
      const names = [nameOf(1, 'd', 'a.x')];
      const broken = { t: T0, device: 'd', kind: 'status' as const, data: 'no JSON' };
      expect(() => database.write(batchOf([[1, T0, 1]], { names, events: [broken] }))).toThrow();
      database.write(batchOf([[1, T0 + 1, 2]]));
      expect(lasts(ask(database, {}))).toEqual([2]);
    });
    use((database) => expect(lasts(ask(database, {}))).toEqual([2]), T0 + 2_000_000);
  });

  it('sets a damaged file aside, and begins a new one', () => {
    use((database) => database.write(batchOf([[1, T0, 1]], { names: [nameOf(1, 'd', 'a.x')] })));
    const bytes = readFile(file());
    writeFileSync(file(), bytes.fill(0xaa, 100, 6_000));
    const database = made();
    const { setAside } = database.open(T0);
    expect(setAside).toMatch(/history\.db\.damaged-\d{8}T\d{6}Z$/);
    expect(readdirSync(folder)).toContain((setAside ?? '').split('/').at(-1));
    database.write(batchOf([[1, T0, 5]], { names: [nameOf(1, 'd', 'a.x')] }));
    expect(lasts(ask(database, {}))).toEqual([5]);
    database.close(T0);
  });

  it('sets aside what is no database at all', () => {
    writeFileSync(file(), 'devices: []\n'.repeat(500));
    const database = made();
    expect(database.open(T0).setAside).toBeDefined();
    database.close(T0);
  });

  it('leaves a database of a later version as it is', () => {
    use(() => undefined);
    const later = openSql(file(), { driver });
    later.exec('PRAGMA user_version = 99');
    later.close();
    const before = readFile(file());
    expect(() => made().open(T0)).toThrow(NewerDatabaseError);
    expect(readFile(file()).equals(before)).toBe(true);
  });

  it('is written by one process at a time, and open to others for reading', () => {
    use((database) => {
      database.write(batchOf([[1, T0, 1]], { names: [nameOf(1, 'd', 'a.x')] }));
      expect(() => made().open(T0)).toThrow(SqlError);
      const reader = openSql(file(), { driver, readOnly: true });
      expect(reader.prepare('SELECT count(*) AS n FROM journal').get()?.n).toBe(1);
      reader.close();
    });
    use(() => undefined);
  });
});
