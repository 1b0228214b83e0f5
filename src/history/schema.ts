import type { SqlDatabase } from './sql.ts';

/**
 * The steps from one version of the database to the next; each is run once, in one transaction. A step that was released
 * is never changed: what comes later is a step of its own.
 */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE runs (
  id INTEGER PRIMARY KEY, epoch TEXT NOT NULL, version TEXT NOT NULL,
  started_at INTEGER NOT NULL, alive_at INTEGER NOT NULL, stopped_at INTEGER
);
CREATE TABLE devices (
  device TEXT PRIMARY KEY, first_seen INTEGER, last_seen INTEGER,
  connections INTEGER NOT NULL DEFAULT 0, disconnections INTEGER NOT NULL DEFAULT 0,
  online INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE series (
  id INTEGER PRIMARY KEY, device TEXT NOT NULL, field TEXT NOT NULL, unit TEXT NOT NULL, type TEXT NOT NULL,
  used_at INTEGER NOT NULL, flushed INTEGER NOT NULL DEFAULT 0,
  UNIQUE (device, field, unit, type)
);
CREATE TABLE journal (id INTEGER PRIMARY KEY, t INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE chunks (
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, tier INTEGER NOT NULL,
  from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, points INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE INDEX chunks_of_series ON chunks (series, to_ms);
CREATE INDEX chunks_by_age ON chunks (tier, to_ms);
CREATE TABLE texts (series INTEGER NOT NULL, t INTEGER NOT NULL, text TEXT NOT NULL);
CREATE INDEX texts_of_series ON texts (series, t);
CREATE INDEX texts_by_age ON texts (t);
CREATE TABLE marks (series INTEGER NOT NULL, t INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE INDEX marks_of_series ON marks (series, t);
CREATE INDEX marks_by_age ON marks (t);
CREATE TABLE events (
  id INTEGER PRIMARY KEY, t INTEGER NOT NULL, device TEXT NOT NULL, kind TEXT NOT NULL,
  epoch TEXT, rev INTEGER, seq INTEGER, data TEXT NOT NULL
);
CREATE INDEX events_by_age ON events (t);
CREATE INDEX events_of_device ON events (device, kind, t);
CREATE INDEX events_of_feed ON events (device, epoch, rev) WHERE rev IS NOT NULL;
`,
];

/** A database of a later version of Heartwire: it is left as it is. */
export class NewerDatabaseError extends Error {
  readonly version: number;

  constructor(version: number) {
    super(`it has version ${version}, and this Heartwire knows ${MIGRATIONS.length}`);
    this.version = version;
  }
}

export const versionOf = (db: SqlDatabase): number =>
  Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);

/** @throws NewerDatabaseError where a later version has written it */
export function checkVersion(db: SqlDatabase, steps: readonly string[] = MIGRATIONS): void {
  const version = versionOf(db);
  if (version > steps.length) throw new NewerDatabaseError(version);
}

/**
 * Brings a database to the present version.
 * @throws NewerDatabaseError, SqlError
 */
export function migrate(db: SqlDatabase, steps: readonly string[] = MIGRATIONS): void {
  checkVersion(db, steps);
  const version = versionOf(db);
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    inTransaction(db, () => {
      db.exec(step);
      db.exec(`PRAGMA user_version = ${index + 1}`);
    });
  }
}

/** All of it, or none. */
export function inTransaction<T>(db: SqlDatabase, act: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = act();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    try {
      db.exec('ROLLBACK');
    } catch {
      // SQLite has rolled it back already.
    }
    throw error;
  }
}
