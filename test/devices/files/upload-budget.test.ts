import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UploadStore } from '../../../src/devices/files/upload-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const BLOCK = 4_096;
const hasProc = existsSync('/proc/self/fd');
if (!hasProc) console.warn('skipped: there is no /proc/self/fd to count descriptors in');

let dir = '';
const runs: UploadStore[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-budget-'));
});
afterEach(async () => {
  for (const uploads of runs.splice(0)) await uploads[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

async function run(blocks: number, maxFiles = 1_000, deviceShare?: number): Promise<UploadStore> {
  const settings = { dir, maxFileBytes: 1_000_000, budgetBytes: blocks * BLOCK, maxFiles, deviceShare };
  const uploads = new UploadStore(settings, new FakeClock());
  runs.push(uploads);
  await uploads.start();
  return uploads;
}

const whole = (bytes: number) => ({ offset: 0, last: true, data: Buffer.alloc(bytes, 1) });
const checkpointed = (bytes: number, next = 1) => ({
  offset: (next - 1) * bytes,
  last: false,
  data: Buffer.alloc(bytes, next),
  checkpoint: { total: 100, next, lastSum: next },
});
const transfersOf = (uploads: UploadStore, device: string) =>
  uploads.files.filter(({ id }) => id.startsWith(`${device}.`)).map(({ id }) => /Z-(\d+)/.exec(id)?.[1]);

/** As the disk counts. */
async function taken(): Promise<{ bytes: number; files: number }> {
  const names = await readdir(dir);
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(dir, name))).size));
  return {
    bytes: sizes.reduce((sum, size) => sum + Math.max(Math.ceil(size / BLOCK), 1) * BLOCK, 0),
    files: names.length,
  };
}

describe('the budget of files', () => {
  it('counts whole blocks: 500 files of 4 bytes do not stay in 100 blocks', {
    timeout: 60_000,
  }, async () => {
    const uploads = await run(100);
    for (let transfer = 0; transfer < 500; transfer++) await uploads.store('p1', transfer, whole(4));
    expect(await taken()).toEqual({ bytes: 99 * BLOCK, files: 99 });
    expect(uploads.use).toEqual(await taken());
    expect(transfersOf(uploads, 'p1').at(-1)).toBe('499');
  });

  it('counts files, and the records beside those that are not whole', async () => {
    const uploads = await run(1_000, 10);
    for (let transfer = 0; transfer < 40; transfer++) {
      await uploads.store('p1', transfer, whole(4));
      await uploads.store('p2', transfer % 4, checkpointed(4));
      expect((await taken()).files).toBeLessThanOrEqual(10);
      expect(uploads.use.files).toBe((await taken()).files);
    }
  });

  it('is not used up by one device: those that take less keep what they have', async () => {
    const uploads = await run(20);
    await uploads.store('p1', 1, whole(BLOCK));
    await uploads.store('p2', 1, whole(BLOCK));
    for (let transfer = 1; transfer < 100; transfer++)
      await uploads.store('flood', transfer, whole(2 * BLOCK));
    expect(transfersOf(uploads, 'p1')).toEqual(['1']);
    expect(transfersOf(uploads, 'p2')).toEqual(['1']);
    for (let transfer = 2; transfer < 8; transfer++) await uploads.store('p1', transfer, whole(BLOCK));
    expect(transfersOf(uploads, 'p1')).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(uploads.use).toEqual(await taken());
  });

  it('has a share for each device, which holds without any other', async () => {
    const uploads = await run(20, 1_000, 0.25);
    for (let transfer = 1; transfer < 10; transfer++) await uploads.store('p1', transfer, whole(BLOCK));
    expect(await taken()).toEqual({ bytes: 4 * BLOCK, files: 4 });
    await expect(uploads.store('p1', 10, whole(5 * BLOCK))).rejects.toThrow(
      'what p1 sends is beyond 20480 bytes',
    );
    expect(transfersOf(uploads, 'p1')).toEqual(['6', '7', '8', '9']);
  });

  it('takes it from the device that holds the most where nothing is whole, and refuses its next piece', async () => {
    const uploads = await run(20);
    for (const transfer of [1, 2]) {
      for (const next of [1, 2]) await uploads.store('flood', transfer, checkpointed(4 * BLOCK, next));
    }
    expect(await uploads.store('p1', 1, whole(2 * BLOCK))).toMatchObject({ bytes: 2 * BLOCK });
    expect((await readdir(dir)).filter((name) => name.endsWith('.part'))).toHaveLength(1);
    await expect(uploads.store('flood', 1, checkpointed(4 * BLOCK, 3))).rejects.toThrow('came at byte 0');
    await expect(uploads.store('flood', 3, whole(12 * BLOCK))).rejects.toThrow(
      'the budget for files is spent',
    );
    expect(uploads.use).toEqual(await taken());
  });

  it('holds for many that come at once', async () => {
    const uploads = await run(20, 12);
    const stored = Array.from({ length: 50 }, (_, index) =>
      uploads.store(`p${index % 7}`, index, whole(3 * BLOCK)),
    );
    const outcomes = await Promise.allSettled(stored);
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    const now = await taken();
    expect(uploads.use).toEqual(now);
    expect(now.bytes).toBeLessThanOrEqual(20 * BLOCK);
    expect(now.files).toBeLessThanOrEqual(12);
  });

  it('is counted again at the start, and what is beyond a smaller one goes then', async () => {
    const former = await run(100);
    for (let transfer = 1; transfer <= 30; transfer++) await former.store('p1', transfer, whole(4));
    await former.store('p2', 1, whole(4));
    await former.store('p2', 2, checkpointed(4));
    await former[Symbol.asyncDispose]();
    const uploads = await run(10, 8);
    expect(uploads.use).toEqual(await taken());
    expect(uploads.use).toEqual({ bytes: 8 * BLOCK, files: 8 });
    expect(transfersOf(uploads, 'p2')).toEqual(['1']);
  });

  it.runIf(hasProc)('keeps few descriptors for files that many devices have begun', async () => {
    const uploads = await run(2_000);
    const devices = Array.from({ length: 150 }, (_, index) => `p${index}`);
    for (const device of devices) await uploads.store(device, 1, checkpointed(10));
    const open = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir);
        } catch {
          // It was that of this very look.
          return false;
        }
      }).length;
    await expect.poll(open).toBeLessThanOrEqual(2 * 64);
    for (const device of devices) {
      await uploads.store(device, 1, checkpointed(10, 2));
      const last = { offset: 20, last: true, data: Buffer.alloc(10, 3) };
      const done = await uploads.store(device, 1, last);
      const bytes = await readFile(uploads.find(done?.id ?? '')?.path ?? '');
      expect(bytes.toString('hex')).toBe('01'.repeat(10) + '02'.repeat(10) + '03'.repeat(10));
    }
    expect(open()).toBe(0);
  });
});
