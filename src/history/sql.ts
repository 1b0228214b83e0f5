import { createRequire } from 'node:module';
import { HeartwireError } from '../errors.ts';

export type SqlValue = number | string | null | Uint8Array;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A prepared statement; synchronous, like all of this. */
export interface SqlStatement {
  run(...values: readonly SqlValue[]): void;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
  get(...values: readonly SqlValue[]): SqlRow | undefined;
}

/** An SQLite database, whichever package carries it. A statement that fails throws `SqlError`. */
export interface SqlDatabase {
  /** Which one it is. */
  readonly driver: SqlDriver;
  exec(sql: string): void;
  /** The same text gives the same statement. */
  prepare(sql: string): SqlStatement;
  close(): void;
}

/** `node:sqlite` is part of Node from 22.13 on; `libsql` brings its own SQLite as a prebuilt file, for older ones. */
export const SQL_DRIVERS = ['node:sqlite', 'libsql'] as const;
export type SqlDriver = (typeof SQL_DRIVERS)[number];

/** What SQLite said of a statement; `kind` is what can be done about it. */
export class SqlError extends Error {
  readonly kind: 'damaged' | 'full' | 'busy' | 'unwritable' | 'other';

  constructor(message: string, kind: SqlError['kind'], cause: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** What both packages have in common. */
interface RawStatement {
  run(...values: readonly unknown[]): unknown;
  all(...values: readonly unknown[]): unknown;
  get(...values: readonly unknown[]): unknown;
}
interface RawDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): RawStatement;
  close(): unknown;
}

const require = createRequire(import.meta.url);

/** Loads the package of a driver; undefined where this Node does not have it. */
function opener(driver: SqlDriver): ((path: string, readOnly: boolean) => RawDatabase) | undefined {
  try {
    switch (driver) {
      case 'node:sqlite': {
        // Its types are those of the package, whichever version of Node compiles this.
        const { DatabaseSync } = require('node:sqlite') as {
          DatabaseSync: new (path: string, options: { readOnly: boolean }) => RawDatabase;
        };
        return (path, readOnly) => new DatabaseSync(path, { readOnly });
      }
      case 'libsql': {
        const Database = require('libsql') as new (
          path: string,
          options: { readonly: boolean },
        ) => RawDatabase;
        return (path, readOnly) => new Database(path, { readonly: readOnly });
      }
    }
  } catch {
    return undefined;
  }
}

/** The drivers that this Node has, the best one first. */
export const availableDrivers = (): readonly SqlDriver[] =>
  SQL_DRIVERS.filter((driver) => opener(driver) !== undefined);

/**
 * Opens a database, and makes it where it is missing.
 * @throws HeartwireError `history_unavailable` where no driver is there; SqlError
 */
export function openSql(
  path: string,
  { driver, readOnly = false }: { readonly driver?: SqlDriver | undefined; readonly readOnly?: boolean } = {},
): SqlDatabase {
  for (const each of driver === undefined ? SQL_DRIVERS : [driver]) {
    const open = opener(each);
    if (open !== undefined)
      return new Sql(
        each,
        attempt(() => open(path, readOnly)),
      );
  }
  throw new HeartwireError('history_unavailable', 'This Node has no SQLite.', {
    seen: process.versions.node,
    fix: 'Run Node 22.13 or later, or install the optional package `libsql`.',
  });
}

class Sql implements SqlDatabase {
  readonly driver: SqlDriver;
  readonly #raw: RawDatabase;
  readonly #statements = new Map<string, SqlStatement>();

  constructor(driver: SqlDriver, raw: RawDatabase) {
    this.driver = driver;
    this.#raw = raw;
  }

  exec(sql: string): void {
    attempt(() => this.#raw.exec(sql));
  }

  prepare(sql: string): SqlStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const raw = attempt(() => this.#raw.prepare(sql));
    const statement: SqlStatement = {
      run: (...values) => void attempt(() => raw.run(...values)),
      // Rows are objects by the names of their columns, of what SQLite holds.
      all: (...values) => attempt(() => raw.all(...values) as SqlRow[]).map(plainRow),
      get: (...values) => {
        const row = attempt(() => raw.get(...values) as SqlRow | undefined | null);
        return row === undefined || row === null ? undefined : plainRow(row);
      },
    };
    this.#statements.set(sql, statement);
    return statement;
  }

  close(): void {
    this.#statements.clear();
    attempt(() => this.#raw.close());
  }
}

/** `libsql` gives bytes as a buffer. */
function plainRow(row: SqlRow): SqlRow {
  for (const name in row) {
    const value: unknown = row[name];
    if (value instanceof ArrayBuffer) return bytesInRow(row);
  }
  return row;
}

function bytesInRow(row: SqlRow): SqlRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]: [string, unknown]) => [
      name,
      // What is no buffer is what SQLite holds.
      value instanceof ArrayBuffer ? new Uint8Array(value) : (value as SqlValue),
    ]),
  );
}

function attempt<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof SqlError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new SqlError(message, kindOf(message, cause), cause);
  }
}

function kindOf(message: string, cause: unknown): SqlError['kind'] {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const number =
    typeof cause === 'object' && cause !== null && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
  const says = (pattern: RegExp, primary: readonly number[]): boolean =>
    primary.includes(number) || pattern.test(code) || pattern.test(message);
  if (says(/SQLITE_CORRUPT|SQLITE_NOTADB|malformed|not a database/i, [11, 26])) return 'damaged';
  if (says(/SQLITE_FULL|is full|no space/i, [13])) return 'full';
  if (says(/SQLITE_BUSY|SQLITE_LOCKED|is locked/i, [5, 6])) return 'busy';
  if (
    says(
      /SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|SQLITE_IOERR|readonly|unable to open|disk I\/O/i,
      [3, 8, 10, 14],
    )
  )
    return 'unwritable';
  return 'other';
}
