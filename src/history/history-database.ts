import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { JsonObject } from '../contract/wire/index.ts';
import type { Batch, HistoryEvent, SeriesName } from './batch.ts';
import { DamagedChunkError } from './core/chunk.ts';
import type { Query } from './query.ts';
import { HistoryReader } from './read.ts';
import { checkVersion, inTransaction, migrate } from './schema.ts';
import { JOURNAL_BYTES, SeriesTable } from './series-table.ts';
import { openSql, type SqlDatabase, type SqlDriver, SqlError } from './sql.ts';
import { type Limits, Upkeep } from './upkeep.ts';

export interface HistoryFile extends Limits {
  /** The database; beside it lies the file that locks it. */
  readonly file: string;
  readonly epoch: string;
  readonly version: string;
  /** The first one that is there, where it is left out. */
  readonly driver?: SqlDriver | undefined;
  /** Of values that are in no chunk yet; at most twice as many. */
  readonly journalBytes?: number | undefined;
}

/** What was found when a database was opened. */
export interface Opened {
  readonly driver: SqlDriver;
  /** Values that the run before left in the journal. */
  readonly recovered: number;
  /** A damaged database is now here. */
  readonly setAside?: string | undefined;
}

/** A database that is larger is not read as a whole when it is opened; what is damaged shows when it is used. */
const CHECKED_BYTES = 64 * 1024 * 1024;

/** The history of one bridge in one file; all of it synchronous, for a thread of its own. */
export class HistoryDatabase {
  readonly #options: HistoryFile;
  #lock: SqlDatabase | undefined;
  #db: SqlDatabase | undefined;
  #table: SeriesTable | undefined;
  #reader: HistoryReader | undefined;
  #upkeep: Upkeep | undefined;
  /** They are sent once, and hold for every database that this one makes. */
  readonly #names = new Map<number, SeriesName>();
  #limits: Limits;
  #runId = 0;
  #syncs: boolean | undefined;

  constructor(options: HistoryFile) {
    this.#options = options;
    this.#limits = options;
  }

  /**
   * Opens the file, or makes it. A damaged one is set aside, and a new one begun.
   * @throws SqlError (`busy`: another process uses it), NewerDatabaseError, HeartwireError `history_unavailable`
   */
  open(now: number): Opened {
    const { file, driver } = this.#options;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#lock ??= lockFile(`${file}.lock`, driver);
    let setAside: string | undefined;
    let opened: { readonly recovered: number; readonly driver: SqlDriver };
    try {
      opened = this.#begin(now);
    } catch (error) {
      this.#closeQuietly();
      if (!isDamage(error)) throw error;
      setAside = putAside(file, now);
      opened = this.#begin(now);
    }
    return { ...opened, setAside };
  }

  /** @throws SqlError: then nothing of the batch is kept, but for the names in it */
  write(batch: Batch): void {
    for (const name of batch.names) this.#names.set(name.sid, name);
    for (const sid of batch.over) this.#names.delete(sid);
    const { db, table } = this.#opened();
    this.#durable(db, true);
    const written = inTransactionOf(db, table, batch, () => {
      for (const event of batch.events) this.#event(db, event);
      db.prepare('UPDATE runs SET alive_at = max(alive_at, ?) WHERE id = ?').run(batch.at, this.#runId);
    });
    written.commit();
    table.over(batch.over);
    if (table.isCrowded) this.#makeRoom(db, table);
  }

  /** Batches come faster than steps of `work` are done: what is in memory stays within its bound all the same. */
  #makeRoom(db: SqlDatabase, table: SeriesTable): void {
    try {
      this.#durable(db, false);
      while (table.isCrowded && table.flush());
    } catch {
      // The batch is written; the next step of `work` fails in the same way, and reports it.
    }
  }

  /** Some of what is to be done beside writing, for a few milliseconds; true where there is more. */
  work(now: number): boolean {
    const { db, table, upkeep } = this.#opened();
    // What is lost of it with the power is done again: the journal is synced, and has it.
    this.#durable(db, false);
    return table.flush() || upkeep.step(now);
  }

  /** @throws SqlError */
  answer(query: Query): JsonObject | undefined {
    return this.#opened().reader.answer(query);
  }

  /** Other limits from now on. */
  limit(limits: Limits): void {
    this.#limits = limits;
    this.#upkeep?.follow(limits);
  }

  /** Bytes of the database that are in use. */
  get bytes(): number {
    return this.#upkeep?.bytes() ?? 0;
  }

  /** Writes what is in memory, and lets go of the file. Never throws. */
  close(now: number): void {
    try {
      const { db, table } = this.#opened();
      while (table.flush(true));
      db.prepare('UPDATE runs SET alive_at = max(alive_at, ?), stopped_at = ? WHERE id = ?').run(
        now,
        now,
        this.#runId,
      );
      // From here on the file alone is all of it.
      db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // It is as after a crash: the journal has the values.
    }
    this.#closeQuietly();
    try {
      this.#lock?.close();
    } catch {
      // The system lets go of it with the process.
    }
    this.#lock = undefined;
  }

  /** A database that turned out to be damaged is set aside, and a new one begun. Returns where it is. */
  replace(now: number): string | undefined {
    this.#closeQuietly();
    const aside = putAside(this.#options.file, now);
    this.#begin(now);
    return aside;
  }

  #begin(now: number): { readonly recovered: number; readonly driver: SqlDriver } {
    const { file, driver, epoch, version } = this.#options;
    const size = existsSync(file) ? statSync(file).size : 0;
    const db = openSql(file, { driver });
    this.#db = db;
    // Each pragma below may change the file.
    checkVersion(db);
    // Before the first table; a database that has some keeps what it has.
    db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    db.exec('PRAGMA journal_mode = WAL');
    this.#syncs = undefined;
    this.#durable(db, true);
    db.exec('PRAGMA journal_size_limit = 16777216');
    db.exec('PRAGMA busy_timeout = 2000');
    if (size > 0 && size <= CHECKED_BYTES) {
      const [first] = Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {});
      if (first !== 'ok')
        throw new SqlError(`the check of the file says: ${String(first)}`, 'damaged', undefined);
    }
    migrate(db);
    const table = new SeriesTable(db, this.#options.journalBytes ?? JOURNAL_BYTES);
    const recovered = table.load();
    table.name(this.#names.values());
    inTransaction(db, () => {
      // Of a run that ended without a word, `alive_at` is the last that is known.
      db.exec(
        `INSERT INTO events (t, device, kind, data) SELECT alive_at, '', 'bridge', '{"event":"killed"}' FROM runs WHERE id = (SELECT max(id) FROM runs) AND stopped_at IS NULL`,
      );
      db.exec(
        'UPDATE devices SET online = 0, last_seen = max(last_seen, (SELECT max(alive_at) FROM runs)) WHERE online = 1',
      );
      db.prepare('INSERT INTO runs (epoch, version, started_at, alive_at) VALUES (?, ?, ?, ?)').run(
        epoch,
        version,
        now,
        now,
      );
      this.#runId = Number(db.prepare('SELECT max(id) AS id FROM runs').get()?.id);
    });
    this.#table = table;
    this.#reader = new HistoryReader(db, table, true);
    this.#upkeep = new Upkeep(db, table, this.#limits);
    return { recovered, driver: db.driver };
  }

  /** Whether a transaction waits until the disk has it. Those behind it sync it with them. */
  #durable(db: SqlDatabase, durable: boolean): void {
    if (durable === this.#syncs) return;
    db.exec(`PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`);
    this.#syncs = durable;
  }

  #event(db: SqlDatabase, { t, device, kind, feed, data }: HistoryEvent): void {
    db.prepare(
      'INSERT INTO events (t, device, kind, epoch, rev, seq, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(t, device, kind, feed?.epoch ?? null, feed?.rev ?? null, feed?.seq ?? null, data);
    if (kind !== 'status' && kind !== 'link') return;
    const { status } = JSON.parse(data) as { readonly status: string };
    db.prepare('INSERT OR IGNORE INTO devices (device) VALUES (?)').run(device);
    if (kind === 'status' && status === 'online')
      db.prepare(
        'UPDATE devices SET first_seen = coalesce(first_seen, ?), last_seen = ?, online = 1 WHERE device = ?',
      ).run(t, t, device);
    else if (kind === 'status')
      db.prepare('UPDATE devices SET last_seen = ?, online = 0 WHERE device = ? AND online = 1').run(
        t,
        device,
      );
    else if (status === 'connected')
      db.prepare('UPDATE devices SET connections = connections + 1 WHERE device = ?').run(device);
    else if (data.includes('"was":"connected"'))
      db.prepare('UPDATE devices SET disconnections = disconnections + 1 WHERE device = ?').run(device);
  }

  #opened(): {
    readonly db: SqlDatabase;
    readonly table: SeriesTable;
    readonly reader: HistoryReader;
    readonly upkeep: Upkeep;
  } {
    const db = this.#db;
    const table = this.#table;
    const reader = this.#reader;
    const upkeep = this.#upkeep;
    if (db === undefined || table === undefined || reader === undefined || upkeep === undefined)
      throw new SqlError('the database is not open', 'other', undefined);
    return { db, table, reader, upkeep };
  }

  #closeQuietly(): void {
    try {
      this.#db?.close();
    } catch {
      // What cannot be closed is given up.
    }
    this.#db = this.#table = this.#reader = this.#upkeep = undefined;
  }
}

/** Whether an error means that the file does not hold what was written. */
export const isDamage = (error: unknown): boolean =>
  error instanceof DamagedChunkError || (error instanceof SqlError && error.kind === 'damaged');

function inTransactionOf(
  db: SqlDatabase,
  table: SeriesTable,
  batch: Batch,
  further: () => void,
): { commit(): void } {
  let written: ReturnType<SeriesTable['write']> | undefined;
  try {
    return inTransaction(db, () => {
      written = table.write(batch);
      further();
      return written;
    });
  } catch (error) {
    written?.rollback();
    throw error;
  }
}

/**
 * A database of its own that is locked as long as the process lives, so that two bridges never write into one history;
 * the system lets go of it, however the process ends. The history itself stays open to other readers.
 */
function lockFile(path: string, driver: SqlDriver | undefined): SqlDatabase {
  const lock = openSql(path, { driver });
  try {
    lock.exec('PRAGMA busy_timeout = 0');
    lock.exec('PRAGMA locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** The file goes where it is not in the way; undefined where it could not, and was removed. */
function putAside(file: string, now: number): string | undefined {
  const aside = `${file}.damaged-${new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')}`;
  rmSync(`${file}-shm`, { force: true });
  try {
    renameSync(file, aside);
    // What was committed last stands in there.
    if (existsSync(`${file}-wal`)) renameSync(`${file}-wal`, `${aside}-wal`);
    return aside;
  } catch {
    for (const end of ['', '-wal']) rmSync(`${file}${end}`, { force: true });
    return undefined;
  }
}
