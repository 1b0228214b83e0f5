import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UploadStore } from '../../src/devices/files/upload-store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { HEARTBEAT_REPLY } from '../support/listener-bench.ts';
import { RecorderBench } from '../support/recorder-bench.ts';
import { canMountSmallDisk, mountSmallDisk } from '../support/small-disk.ts';

const FILES = 60;

const canMount = canMountSmallDisk();
const mounted = (dir: string): boolean => mountSmallDisk(dir, `size=256k,nr_inodes=${FILES}`);

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'heartwire-small-'));
  if (!canMount) return;
  expect(mounted(dir)).toBe(true);
  mkdirSync(join(dir, 'traces'));
  mkdirSync(join(dir, 'files'));
});
afterEach(() => {
  if (canMount) execFileSync('umount', [dir]);
  rmSync(dir, { recursive: true });
});

/** Another program takes all that is left, of the bytes or of the files. */
async function fill(what: 'bytes' | 'files'): Promise<void> {
  try {
    if (what === 'bytes') {
      const file = await open(join(dir, 'filler'), 'w');
      await using _ = { [Symbol.asyncDispose]: () => file.close() };
      for (;;) await file.write(Buffer.alloc(4_096));
    }
    for (let index = 0; ; index++) await writeFile(join(dir, `filler-${index}`), '');
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' });
  }
}

async function clear(): Promise<void> {
  const fillers = (await readdir(dir)).filter((name) => name.startsWith('filler'));
  for (const name of fillers) await rm(join(dir, name));
}

describe.runIf(canMount)('a small file system', () => {
  it('has files left for recordings, however many tiny files devices send', async () => {
    const files = { dir: join(dir, 'files'), maxFileBytes: 10_000, budgetBytes: 100_000, maxFiles: 20 };
    const uploads = new UploadStore(files, new FakeClock());
    await uploads.start();
    await using bench = new RecorderBench({ dir: join(dir, 'traces'), maxFileBytes: 50, maxFiles: 20 });
    await bench.recorder.start();
    const tap = bench.tap('p1');
    for (let transfer = 0; transfer < 4 * FILES; transfer++) {
      await uploads.store('p2', transfer, { offset: 0, last: true, data: Buffer.from('tiny') });
      tap.received(HEARTBEAT_REPLY);
      await bench.second();
      expect(bench.recorder.status()).toMatchObject({ status: 'recording', missed_bytes: 0 });
    }
    expect(uploads.use.files).toBe(19);
    expect(bench.recorder.status()).toMatchObject({ files: 20 });
    await uploads[Symbol.asyncDispose]();
  });

  it.each(['bytes', 'files'] as const)(
    'without %s interrupts a recording, which goes on by itself once there are some',
    async (what) => {
      const traces = join(dir, 'traces');
      // Each flush begins a new trace where it is to find that no file can be made.
      await using bench = new RecorderBench({
        dir: traces,
        ...(what === 'files' ? { maxFileBytes: 1 } : {}),
      });
      await bench.recorder.start();
      const tap = bench.tap('p1');
      tap.opened('10.0.0.7:9089');
      tap.received(HEARTBEAT_REPLY);
      await bench.second();
      await fill(what);
      const chunk = new Uint8Array(4_096);
      tap.received(chunk);
      await bench.second();
      expect(bench.recorder.status()).toMatchObject({
        status: 'stopped',
        reason: 'recording_failed',
        detail: expect.stringContaining('ENOSPC'),
        missed_bytes: chunk.length,
      });
      const before = await readdir(traces);
      await bench.minute();
      await bench.minute();
      expect(await readdir(traces)).toEqual(before);
      await clear();
      await bench.minute();
      expect(bench.recorder.status()).toMatchObject({ status: 'recording' });
      tap.received(HEARTBEAT_REPLY);
      await bench.recorder.close();
      const texts = await Promise.all(
        (await readdir(traces)).map((name) => readFile(join(traces, name), 'utf8')),
      );
      const note = new RegExp(
        `c0 \\* recording was interrupted for .*, and ${chunk.length} bytes are missing`,
      );
      expect(texts.filter((text) => note.test(text))).toHaveLength(1);
    },
  );
});
