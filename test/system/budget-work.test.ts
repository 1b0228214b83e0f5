import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { uploadName } from '../../src/devices/files/upload-part.ts';
import { UploadStore } from '../../src/devices/files/upload-store.ts';
import { type RecorderSettings, RecordingStore } from '../../src/recording/recording-store.ts';
import { FakeClock } from '../support/fake-clock.ts';

const BLOCK = 4_096;
/** Files that are there already: few and many. */
const FEW = 4;
const MANY = 1_000;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-work-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** How many entries of maps and sets are looked at while this is done. */
async function looks(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const iterators = [new Map().values(), new Set().values()].map((each): { next(): unknown } =>
    Object.getPrototypeOf(each),
  );
  const undo = iterators.map((prototype) => {
    const { next } = prototype;
    prototype.next = function counted(this: unknown) {
      count++;
      return next.call(this);
    };
    return () => {
      prototype.next = next;
    };
  });
  try {
    await work();
  } finally {
    for (const each of undo) each();
  }
  return count;
}

/** Fills a folder with so many files of one block. */
async function fill(names: readonly string[]): Promise<void> {
  for (const name of names) await writeFile(join(dir, name), 'x');
}

describe('what a piece costs does not grow with the number of files that are there', () => {
  const uploadWork = async (files: number, budgetFiles: number): Promise<number> => {
    await fill(Array.from({ length: files }, (_, at) => uploadName({ device: 'd', transfer: at }, at, 1)));
    const settings = { dir, maxFileBytes: 1e9, budgetBytes: 1e9, maxFiles: budgetFiles };
    await using uploads = new UploadStore(settings, new FakeClock());
    await uploads.start();
    expect(uploads.files).toHaveLength(files);
    const piece = (at: number) => ({ offset: at * BLOCK, last: false, data: Buffer.alloc(BLOCK, 1) });
    // The first piece makes room for the file, which goes by files and not by pieces.
    await uploads.store('new', 1, piece(0));
    const count = await looks(async () => {
      for (let at = 1; at <= 20; at++) await uploads.store('new', 1, piece(at));
    });
    expect(uploads.use.files).toBeGreaterThanOrEqual(files);
    return count;
  };

  it.each([
    ['within its budget', 1e6],
    ['at its end', 2],
  ])('of a file that a device sends, %s', async (_, spare) => {
    const few = await uploadWork(FEW, FEW + spare);
    await rm(dir, { recursive: true });
    dir = await mkdtemp(join(tmpdir(), 'heartwire-work-'));
    expect(await uploadWork(MANY, MANY + spare)).toBe(few);
  });

  const recordingWork = async (files: number, budgetBytes: number): Promise<number> => {
    const stamp = (at: number): string => `20260101T${String(at).padStart(9, '0')}Z`;
    await fill(Array.from({ length: files }, (_, at) => `d.${stamp(at)}.trace`));
    const settings: RecorderSettings = {
      dir,
      maxFileBytes: 1e9,
      maxAgeMs: 1e9,
      budgetBytes,
      maxFiles: 1e6,
      gzip: false,
    };
    const store = new RecordingStore(settings);
    await store.open();
    expect(store.use.files).toBe(files);
    const file = await store.create('new', 0);
    const line = Buffer.alloc(BLOCK, 0x61);
    const count = await looks(async () => {
      for (let at = 0; at < 20; at++) {
        expect(await store.makeRoom('new', line.length, file)).toBeUndefined();
        await file.append(line);
      }
    });
    await file.close();
    return count;
  };

  it.each([
    ['within its budget', 1e9, 0],
    ['at its end, where each takes the place of the oldest file', 0, 2],
  ])('of a trace, %s', async (_, budgetBytes, spareBlocks) => {
    const budget = (files: number): number => budgetBytes || (files + spareBlocks) * BLOCK;
    const few = await recordingWork(25, budget(25));
    await rm(dir, { recursive: true });
    dir = await mkdtemp(join(tmpdir(), 'heartwire-work-'));
    expect(await recordingWork(MANY, budget(MANY))).toBe(few);
  });
});
