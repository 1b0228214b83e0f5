import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryDatabase } from '../../src/history/history-database.ts';
import { SqlError } from '../../src/history/sql.ts';
import { batchOf, nameOf } from '../support/history-batches.ts';
import { canMountSmallDisk, mountSmallDisk } from '../support/small-disk.ts';

const T0 = Date.UTC(2026, 0, 1);
const NOBODY = 65_534;

const canMount = canMountSmallDisk();
const mounted = (dir: string): boolean => mountSmallDisk(dir, 'size=1m');

const made = (folder: string) =>
  new HistoryDatabase({
    file: join(folder, 'history', 'd.db'),
    epoch: 'test',
    version: 'test',
    keepMs: 30 * 86_400_000,
    budgetBytes: 1e9,
  });

/** Digits that no chunk makes shorter. */
const noise = (index: number): number => Math.sin(index * 12.9898) * 43_758.5453;
const second = (n: number) =>
  batchOf(
    Array.from({ length: 500 }, (_, index) => [1, T0 + n * 1_000 + index, noise(n * 500 + index)] as const),
  );

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-disk-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.runIf(canMount)('a history on a disk that is full', () => {
  beforeEach(() => expect(mounted(folder)).toBe(true));
  afterEach(() => void execFileSync('umount', ['-l', folder]));

  it('says so, keeps what it has, and goes on once there is room, with nothing twice', () => {
    const filler = join(folder, 'filler');
    const database = made(folder);
    database.open(T0);
    database.write(batchOf([], { names: [nameOf(1, 'd', 'a.x')] }));
    writeFileSync(filler, Buffer.alloc(512 * 1_024));
    const kept: number[] = [];
    let full: unknown;
    for (let n = 0; full === undefined && n < 1_000; n++) {
      try {
        database.write(second(n));
        kept.push(n);
      } catch (error) {
        full = error;
      }
    }
    expect(full).toBeInstanceOf(SqlError);
    expect(full).toMatchObject({ kind: 'full' });
    expect(kept.length).toBeGreaterThan(0);
    rmSync(filler);
    const later = kept.length + 10;
    database.write(second(later));
    kept.push(later);
    const answer = database.answer({
      kind: 'values',
      device: 'd',
      field: 'a.x',
      from: T0,
      to: T0 + 10_000_000,
      points: 'all',
    }) as unknown as { readonly points: readonly (readonly number[])[] };
    const times = answer.points.map(([t = 0]) => t);
    const expected = kept.flatMap((n) => Array.from({ length: 500 }, (_, index) => T0 + n * 1_000 + index));
    expect(times).toEqual(expected.slice(0, times.length));
    expect(times.length).toBe(expected.length);
    database.close(T0 + 10_000_000);
  });
});

describe.runIf(process.platform !== 'win32')('a history in a folder that may not be written', () => {
  it('says so, makes nothing, and opens once it may', () => {
    chmodSync(folder, 0o555);
    const database = made(folder);
    // The root user may write anywhere: for the attempt this process is another user.
    const root = process.geteuid?.() === 0;
    let failed: unknown;
    if (root) process.seteuid?.(NOBODY);
    try {
      database.open(T0);
    } catch (error) {
      failed = error;
    } finally {
      if (root) process.seteuid?.(0);
    }
    expect(failed).toMatchObject({ code: 'EACCES' });
    expect(() => statSync(join(folder, 'history'))).toThrow('ENOENT');
    chmodSync(folder, 0o755);
    expect(database.open(T0).recovered).toBe(0);
    database.close(T0 + 1);
  });
});
