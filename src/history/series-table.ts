import { type Batch, decodeRows, encodeRows, type SeriesName } from './batch.ts';
import { encodeChunk } from './core/chunk.ts';
import { type Points, rawPoints, sorted } from './core/points.ts';
import { inTransaction } from './schema.ts';
import type { SqlDatabase } from './sql.ts';

/** Values of one series go from the journal into a chunk once they are so many. */
const CHUNK_POINTS = 256;
/** Beyond it the series that keep the oldest rows of the journal alive are written, however few values they have. */
export const JOURNAL_BYTES = 16 * 1024 * 1024;
/** Values that wait in memory for longer are written too, so that no chunk spans years. */
const LONGEST_WAIT_MS = 86_400_000;
/** Series that are written in one transaction, so that no query waits for long. */
const FLUSHED_AT_ONCE = 50;

/** One field of one device with one unit, and its values that are in no chunk yet. */
export interface Series extends Omit<SeriesName, 'sid'> {
  /** In the database; undefined until its first value is written. */
  id: number | undefined;
  t: number[];
  v: number[];
  /** The row of the journal with the oldest of them. */
  firstRow: number;
}

/**
 * Where values go: at first into one row of the journal for each batch, which costs next to nothing, and into memory;
 * when a series has enough of them, into a chunk of its own. What is in the journal and in no chunk is read again at
 * the next start: `flushed` of a series says up to which row its values are in chunks.
 */
export class SeriesTable {
  readonly #db: SqlDatabase;
  readonly #journalMost: number;
  readonly #byKey = new Map<string, Series>();
  readonly #bySid = new Map<number, Series>();
  readonly #byId = new Map<number, Series>();
  /** Those with values in the journal, the oldest of them first. */
  readonly #pending = new Set<Series>();
  /** Those that have enough for a chunk. */
  readonly #full = new Set<Series>();
  #rows: Array<{ readonly id: number; readonly bytes: number }> = [];
  #journalBytes = 0;
  #lastRow = 0;
  /** Epoch ms of the last batch. */
  #at = 0;
  /** Values in memory. */
  #held = 0;

  constructor(db: SqlDatabase, journalBytes: number) {
    this.#db = db;
    this.#journalMost = journalBytes;
  }

  get held(): number {
    return this.#held;
  }

  /** Values must go into chunks before more of them come: 1.7 million are in the journal, and in memory. */
  get isCrowded(): boolean {
    return this.#journalBytes > 2 * this.#journalMost;
  }

  /** Reads what the run before left in the journal. Returns how many values there were. */
  load(): number {
    for (const row of this.#db.prepare('SELECT id, device, field, unit, type FROM series').all()) {
      const { id, device, field, unit, type } = row;
      const series = this.#series({
        device: String(device),
        field: String(field),
        unit: String(unit),
        type: type === 'boolean' || type === 'text' ? type : 'number',
      });
      series.id = Number(id);
      this.#byId.set(series.id, series);
    }
    const flushed = new Map(
      this.#db
        .prepare('SELECT id, flushed FROM series')
        .all()
        .map(({ id, flushed: row }) => [Number(id), Number(row)]),
    );
    // Numbers of rows go on above those that were deleted.
    this.#lastRow = Math.max(0, ...flushed.values());
    for (const { id: row, data } of this.#db.prepare('SELECT id, data FROM journal ORDER BY id').all()) {
      const id = Number(row);
      if (!(data instanceof Uint8Array)) continue;
      decodeRows(data, (seriesId, t, value) => {
        const series = this.#byId.get(seriesId);
        if (series !== undefined && id > (flushed.get(seriesId) ?? 0)) this.#take(series, id, t, value);
      });
      this.#lastRow = Math.max(this.#lastRow, id);
      this.#added(id, data.length);
    }
    return this.#held;
  }

  /** What the numbers of a batch stand for. */
  name(names: Iterable<SeriesName>): void {
    for (const { sid, ...name } of names) this.#bySid.set(sid, this.#series(name));
  }

  /** Writes the values, texts and marks of a batch; to be called in a transaction. Call `commit` or `rollback` behind it. */
  write({ at, names, sids, times, values, texts, marks }: Batch): { commit(): void; rollback(): void } {
    this.#at = at;
    this.name(names);
    const fresh: Series[] = [];
    const idOf = (sid: number): number => {
      const series = this.#bySid.get(sid);
      if (series === undefined) return 0;
      series.id ??= this.#newId(series, at, fresh);
      return series.id;
    };
    const ids = new Int32Array(sids.length);
    for (let index = 0; index < sids.length; index++) ids[index] = idOf(sids[index] ?? 0);
    const bytes = ids.length === 0 ? undefined : encodeRows(ids, times, values);
    const row = this.#lastRow + 1;
    if (bytes !== undefined)
      this.#db.prepare('INSERT INTO journal (id, t, data) VALUES (?, ?, ?)').run(row, at, bytes);
    const text = this.#db.prepare('INSERT INTO texts (series, t, text) VALUES (?, ?, ?)');
    for (const [sid, t, value] of texts) text.run(idOf(sid), t, value);
    const mark = this.#db.prepare('INSERT INTO marks (series, t, reason) VALUES (?, ?, ?)');
    for (const [sid, t, reason] of marks) mark.run(idOf(sid), t, reason);
    for (const { sid } of names) {
      const id = this.#bySid.get(sid)?.id;
      if (id !== undefined) this.#db.prepare('UPDATE series SET used_at = ? WHERE id = ?').run(at, id);
    }
    return {
      commit: () => {
        if (bytes === undefined) return;
        this.#lastRow = row;
        this.#added(row, bytes.length);
        for (let index = 0; index < sids.length; index++) {
          const series = this.#bySid.get(sids[index] ?? 0);
          if (series !== undefined) this.#take(series, row, times[index] ?? 0, values[index] ?? 0);
        }
      },
      rollback: () => {
        for (const series of fresh) {
          if (series.id !== undefined) this.#byId.delete(series.id);
          series.id = undefined;
        }
      },
    };
  }

  /** The series is not written to any more under this number. */
  over(sids: readonly number[]): void {
    for (const sid of sids) this.#bySid.delete(sid);
  }

  /** Moves values from the journal into chunks; true where more of them wait. All of them with `all`. */
  flush(all = false): boolean {
    const due = this.#due(all);
    if (due.length === 0) return false;
    inTransaction(this.#db, () => {
      const insert = this.#db.prepare(
        'INSERT INTO chunks (series, tier, from_ms, to_ms, points, data) VALUES (?, 0, ?, ?, ?, ?)',
      );
      const flushed = this.#db.prepare('UPDATE series SET flushed = ? WHERE id = ?');
      for (const series of due) {
        if (series.id === undefined) continue;
        const { t, v } = series;
        const points = sorted(rawPoints(t, v));
        insert.run(series.id, points.t[0] ?? 0, points.t.at(-1) ?? 0, t.length, encodeChunk(points));
        flushed.run(this.#lastRow, series.id);
      }
      const gone = new Set(due);
      let needed = this.#lastRow + 1;
      for (const { firstRow } of this.#stillPending(gone)) {
        needed = firstRow;
        break;
      }
      this.#db.prepare('DELETE FROM journal WHERE id < ?').run(needed);
    });
    for (const series of due) {
      this.#held -= series.t.length;
      series.t = [];
      series.v = [];
      this.#pending.delete(series);
      this.#full.delete(series);
    }
    const [oldest] = this.#pending;
    const needed = oldest?.firstRow ?? Number.POSITIVE_INFINITY;
    let gone = 0;
    for (const { id, bytes } of this.#rows) {
      if (id >= needed) break;
      gone++;
      this.#journalBytes -= bytes;
    }
    if (gone > 0) this.#rows = this.#rows.slice(gone);
    return this.#due(all).length > 0;
  }

  /** Every unit that a field had, the present one first. */
  of(device: string, field: string): readonly Series[] {
    const rows = this.#db
      .prepare('SELECT id FROM series WHERE device = ? AND field = ? ORDER BY used_at DESC, id DESC')
      .all(device, field);
    return rows.flatMap(({ id }) => this.#byId.get(Number(id)) ?? []);
  }

  /** What is in no chunk yet. */
  recent(series: Series): Points {
    return sorted(rawPoints([...series.t], [...series.v]));
  }

  /** Series of which nothing is left are forgotten. */
  forget(ids: readonly number[]): void {
    for (const id of ids) {
      const series = this.#byId.get(id);
      if (series === undefined) continue;
      // It stays known by its name, and gets another number with its next value.
      series.id = undefined;
      this.#byId.delete(id);
    }
  }

  /** Has values that are in no chunk. */
  holds(id: number): boolean {
    const series = this.#byId.get(id);
    return series !== undefined && series.t.length > 0;
  }

  #due(all: boolean): readonly Series[] {
    const due: Series[] = [];
    for (const series of this.#full) {
      if (due.length >= FLUSHED_AT_ONCE) return due;
      due.push(series);
    }
    const crowded = all || this.#journalBytes > this.#journalMost;
    for (const series of this.#pending) {
      const waits = (series.t[0] ?? 0) < this.#at - LONGEST_WAIT_MS;
      if (due.length >= FLUSHED_AT_ONCE || !(crowded || waits)) break;
      if (!this.#full.has(series)) due.push(series);
    }
    return due;
  }

  *#stillPending(gone: ReadonlySet<Series>): Generator<Series> {
    for (const series of this.#pending) if (!gone.has(series)) yield series;
  }

  #added(id: number, bytes: number): void {
    this.#rows.push({ id, bytes });
    this.#journalBytes += bytes;
  }

  #take(series: Series, row: number, t: number, value: number): void {
    if (series.t.length === 0) {
      series.firstRow = row;
      this.#pending.add(series);
    }
    series.t.push(t);
    series.v.push(value);
    this.#held++;
    if (series.t.length === CHUNK_POINTS) this.#full.add(series);
  }

  #series(name: Omit<SeriesName, 'sid'>): Series {
    const key = JSON.stringify([name.device, name.field, name.unit, name.type]);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const { device, field, unit, type } = name;
    const series: Series = { device, field, unit, type, id: undefined, t: [], v: [], firstRow: 0 };
    this.#byKey.set(key, series);
    return series;
  }

  #newId(series: Series, at: number, fresh: Series[]): number {
    const { device, field, unit, type } = series;
    this.#db
      .prepare(
        'INSERT OR IGNORE INTO series (device, field, unit, type, used_at, flushed) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(device, field, unit, type, at, this.#lastRow);
    const row = this.#db
      .prepare('SELECT id FROM series WHERE device = ? AND field = ? AND unit = ? AND type = ?')
      .get(device, field, unit, type);
    const id = Number(row?.id);
    series.id = id;
    this.#byId.set(id, series);
    fresh.push(series);
    return id;
  }
}
