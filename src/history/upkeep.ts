import { decodeChunk, encodeChunk } from './core/chunk.ts';
import { joined, lowerBound, type Points, thinned } from './core/points.ts';
import { TIER_MS } from './read.ts';
import { inTransaction } from './schema.ts';
import type { SeriesTable } from './series-table.ts';
import type { SqlDatabase } from './sql.ts';

export interface Limits {
  /** What is older is removed, in ms. */
  readonly keepMs: number;
  /** Bytes of the database; beyond them the oldest values go. */
  readonly budgetBytes: number;
}

const DAY_MS = 86_400_000;
/** From which age on points of a tier are thinned to the next one. */
const THINNED_AFTER_MS: readonly number[] = [DAY_MS, 7 * DAY_MS];
/** Points of a chunk that is thinned or made of several. */
const CHUNK_POINTS = 1_024;
/** A chunk spans no longer, so that what is old can go without what is not. */
const CHUNK_MS = 3 * DAY_MS;
/** Chunks that are read for one step of one series. */
const CHUNKS_AT_ONCE = 64;
/** Rows that are removed at once. */
const ROWS_AT_ONCE = 500;
/** Rows that make room at once: no more goes than has to. */
const OLDEST_AT_ONCE = 50;
/** Between two looks at what is old, when nothing was. */
const EVERY_MS = 60_000;
/** Of the budget, what events may take; they are few, and worth more than the oldest values. */
const EVENTS_SHARE = 0.25;
/** Of one event with its places in the indexes, roughly. */
const EVENT_BYTES = 400;

/** Thins and removes what is old, in steps of a few milliseconds. */
export class Upkeep {
  readonly #db: SqlDatabase;
  readonly #table: SeriesTable;
  #limits: Limits;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(db: SqlDatabase, table: SeriesTable, limits: Limits) {
    this.#db = db;
    this.#table = table;
    this.#limits = limits;
  }

  follow(limits: Limits): void {
    this.#limits = limits;
    this.#nextAt = Number.NEGATIVE_INFINITY;
  }

  /** One step; true where there is more to do. A clock that was set back only makes it wait. */
  step(now: number): boolean {
    if (now < this.#nextAt && this.#nextAt - now <= EVERY_MS) return false;
    const did = this.#thin(now) || this.#expire(now - this.#limits.keepMs) || this.#economize();
    if (!did) this.#nextAt = now + EVERY_MS;
    return did;
  }

  /** Of the database, without pages that are free. */
  bytes(): number {
    const value = (pragma: string, name: string): number =>
      Number(this.#db.prepare(`PRAGMA ${pragma}`).get()?.[name] ?? 0);
    const pages = value('page_count', 'page_count') - value('freelist_count', 'freelist_count');
    return pages * value('page_size', 'page_size');
  }

  #thin(now: number): boolean {
    return THINNED_AFTER_MS.some((age, tier) => {
      const due = this.#db
        .prepare('SELECT series FROM chunks WHERE tier = ? AND to_ms < ? ORDER BY to_ms LIMIT 1')
        .get(tier, now - age);
      if (due === undefined) return false;
      this.#thinSeries(Number(due.series), tier, now - age);
      return true;
    });
  }

  /** Thins the oldest chunks of a series, and puts them behind a last chunk of the next tier that has room. */
  #thinSeries(series: number, tier: number, before: number): void {
    const rows = [
      ...this.#db
        .prepare(
          'SELECT id, data FROM chunks WHERE series = ? AND tier = ? AND to_ms < ? ORDER BY to_ms, id LIMIT ?',
        )
        .all(series, tier, before, CHUNKS_AT_ONCE),
    ];
    const next = tier + 1;
    const widthMs = TIER_MS[next] ?? 1;
    const last = this.#db
      .prepare(
        'SELECT id, points, from_ms, data FROM chunks WHERE series = ? AND tier = ? ORDER BY to_ms DESC LIMIT 1',
      )
      .get(series, next);
    const joins = last !== undefined && Number(last.points) < CHUNK_POINTS;
    if (joins && before - Number(last.from_ms) < CHUNK_MS) rows.push(last);
    const parts = rows.flatMap(({ data }) => (data instanceof Uint8Array ? [decodeChunk(data)] : []));
    const points = thinned(joined(parts), widthMs);
    inTransaction(this.#db, () => {
      for (const { id } of rows) this.#db.prepare('DELETE FROM chunks WHERE id = ?').run(id ?? null);
      const insert = this.#db.prepare(
        'INSERT INTO chunks (series, tier, from_ms, to_ms, points, data) VALUES (?, ?, ?, ?, ?, ?)',
      );
      for (const part of cut(points)) {
        const { t } = part;
        insert.run(series, next, t[0] ?? 0, (t.at(-1) ?? 0) + widthMs - 1, t.length, encodeChunk(part));
      }
    });
  }

  #expire(before: number): boolean {
    const deleted = inTransaction(this.#db, () =>
      TIER_MS.map((_, tier) => this.#delete('chunks', 'tier = ? AND to_ms < ?', tier, before))
        .concat(['texts', 'marks', 'events'].map((table) => this.#delete(table, 't < ?', before)))
        .reduce((sum, each) => sum + each, 0),
    );
    if (deleted > 0) return true;
    this.#db.prepare('DELETE FROM runs WHERE alive_at < ? AND id < (SELECT max(id) FROM runs)').run(before);
    return this.#forgetEmpty(before);
  }

  /** Series of which nothing is left. */
  #forgetEmpty(before: number): boolean {
    const empty = this.#db
      .prepare(
        `SELECT id FROM series WHERE used_at < ?
         AND NOT EXISTS (SELECT 1 FROM chunks WHERE series = series.id)
         AND NOT EXISTS (SELECT 1 FROM texts WHERE series = series.id) LIMIT ?`,
      )
      .all(before, ROWS_AT_ONCE)
      .map(({ id }) => Number(id))
      .filter((id) => !this.#table.holds(id));
    if (empty.length === 0) return false;
    inTransaction(this.#db, () => {
      for (const id of empty) {
        this.#db.prepare('DELETE FROM series WHERE id = ?').run(id);
        this.#db.prepare('DELETE FROM marks WHERE series = ?').run(id);
      }
    });
    this.#table.forget(empty);
    return true;
  }

  /** Removes the oldest where there is more than the budget allows. */
  #economize(): boolean {
    const { budgetBytes } = this.#limits;
    const bytes = this.bytes();
    const most = Math.max(1_000, Math.floor((budgetBytes * EVENTS_SHARE) / EVENT_BYTES));
    const count = this.#db.prepare('SELECT count(*) AS n FROM events').get()?.n;
    if (Number(count) > most) return this.#deleteOldest('events', '', 't') > 0;
    if (bytes <= budgetBytes) return false;
    const gone = inTransaction(this.#db, () => {
      const tier = this.#oldestTier();
      if (tier === undefined) return this.#deleteOldest('texts', '', 't');
      const chunks = this.#deleteOldest('chunks', `WHERE tier = ${tier}`, 'to_ms');
      const oldest = this.#oldestOf(this.#oldestTier() ?? tier);
      return chunks + (oldest === undefined ? 0 : this.#delete('texts', 't < ?', oldest));
    });
    if (gone > 0) this.#db.exec('PRAGMA incremental_vacuum(1000)');
    return gone > 0;
  }

  #delete(table: string, where: string, ...values: readonly number[]): number {
    return this.#count(
      `SELECT rowid AS id FROM ${table} WHERE ${where} LIMIT ${ROWS_AT_ONCE}`,
      table,
      values,
    );
  }

  #deleteOldest(table: string, where: string, by: string): number {
    return this.#count(
      `SELECT rowid AS id FROM ${table} ${where} ORDER BY ${by} LIMIT ${OLDEST_AT_ONCE}`,
      table,
      [],
    );
  }

  /** The tier that has the oldest chunk. */
  #oldestTier(): number | undefined {
    const ages = TIER_MS.flatMap((_, tier) => {
      const at = this.#oldestOf(tier);
      return at === undefined ? [] : [{ tier, at }];
    });
    return ages.sort((a, b) => a.at - b.at)[0]?.tier;
  }

  #oldestOf(tier: number): number | undefined {
    const at = this.#db.prepare('SELECT min(to_ms) AS t FROM chunks WHERE tier = ?').get(tier)?.t;
    return at === null || at === undefined ? undefined : Number(at);
  }

  #count(select: string, table: string, values: readonly number[]): number {
    const ids = this.#db.prepare(select).all(...values);
    for (const { id } of ids) this.#db.prepare(`DELETE FROM ${table} WHERE rowid = ?`).run(id ?? null);
    return ids.length;
  }
}

/** In pieces that a chunk may have, by points and by time. */
function* cut(points: Points): Generator<Points> {
  const { t, min, max, last, count } = points;
  for (let from = 0, end = 0; from < t.length; from = end) {
    end = Math.min(from + CHUNK_POINTS, lowerBound(t, (t[from] ?? 0) + CHUNK_MS));
    const part = (column: readonly number[]): number[] => column.slice(from, end);
    yield {
      t: part(t),
      min: part(min),
      max: part(max),
      last: part(last),
      ...(count && { count: part(count) }),
    };
  }
}
