import { createHash, randomBytes } from 'node:crypto';
import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UploadCheckpoint } from '../../../src/devices/core/partial-upload.ts';
import { UploadStore } from '../../../src/devices/files/upload-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const CHUNK = 1_000;
const file = randomBytes(5 * CHUNK);
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const MINUTE_MS = 60_000;
const DAY_S = 86_400;

let dir = '';
let clock: FakeClock;
const runs: UploadStore[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-spool-'));
  clock = new FakeClock();
});
afterEach(async () => {
  // Those that were killed hold their files open.
  for (const uploads of runs.splice(0)) await uploads[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

async function run(settings = {}): Promise<UploadStore> {
  const uploads = new UploadStore(
    { dir, maxFileBytes: 10_000, budgetBytes: 100_000, maxFiles: 100, ...settings },
    clock,
  );
  runs.push(uploads);
  await uploads.start();
  return uploads;
}

const marks = (next: number): UploadCheckpoint => ({
  total: 5,
  next,
  lastSum: next,
  whole: { size: file.length },
});

/** Chunks `from` up to, but not with, `to` of the file. */
async function store(uploads: UploadStore, from: number, to: number, device = 'p1', transfer = 7) {
  let done: Awaited<ReturnType<UploadStore['store']>>;
  for (let index = from; index < to; index++) {
    const offset = index * CHUNK;
    const data = file.subarray(offset, offset + CHUNK);
    const last = index === 4;
    done = await uploads.store(device, transfer, {
      offset,
      data,
      last,
      ...(last ? {} : { checkpoint: marks(index + 1) }),
    });
  }
  return done;
}

/** The youngest of them and its record, as a run that was killed left them. */
async function left(): Promise<{ part: string; record: string }> {
  const names = await readdir(dir);
  const named = (ending: string) => join(dir, names.find((name) => name.endsWith(ending)) ?? '');
  return { part: named('.part'), record: named('.half') };
}

/** The times of what lies there are those of the machine, and so is the clock. */
async function aged(path: string, seconds: number): Promise<void> {
  const at = clock.now().wallMs / 1_000 - seconds;
  await utimes(path, at, at);
}

describe('a file of which the first chunks are there', () => {
  it.each([
    ['ended', true],
    ['was killed', false],
  ])('goes on in the next run where the former one %s, and is the same in the end', async (_, ended) => {
    const former = await run();
    await store(former, 0, 3);
    if (ended) await former[Symbol.asyncDispose]();
    const uploads = await run();
    expect(uploads.files).toEqual([]);
    expect(uploads.takePartials('p2')).toEqual([]);
    expect(uploads.takePartials('p1')).toEqual([{ transfer: 7, bytes: 3 * CHUNK, ...marks(3) }]);
    expect(uploads.takePartials('p1')).toEqual([]);
    const done = await store(uploads, 3, 5);
    expect(done?.bytes).toBe(file.length);
    expect(sha256(await readFile(uploads.find(done?.id ?? '')?.path ?? ''))).toBe(sha256(file));
    expect(await readdir(dir)).toEqual([done?.id]);
  });

  it('goes on in the run after the next one, too, and also where no chunk came in between', async () => {
    await store(await run(), 0, 1);
    await (await run())[Symbol.asyncDispose]();
    const next = await run();
    await store(next, 1, 2);
    await next[Symbol.asyncDispose]();
    const uploads = await run();
    expect(uploads.takePartials('p1')).toMatchObject([{ next: 2, bytes: 2 * CHUNK }]);
    const done = await store(uploads, 2, 5);
    expect(sha256(await readFile(uploads.find(done?.id ?? '')?.path ?? ''))).toBe(sha256(file));
  });

  it('does not keep what was written behind it and not noted any more', async () => {
    await store(await run(), 0, 3);
    await appendFile((await left()).part, randomBytes(2_500));
    const uploads = await run();
    const done = await store(uploads, 3, 5);
    expect(sha256(await readFile(uploads.find(done?.id ?? '')?.path ?? ''))).toBe(sha256(file));
  });

  it('begins anew where its first chunk comes', async () => {
    await store(await run(), 0, 3);
    const uploads = await run();
    expect(await store(uploads, 0, 5)).toMatchObject({ bytes: file.length });
    expect(await readdir(dir)).toHaveLength(1);
  });
});

describe('what is found of a file', () => {
  it.each<[string, (left: { part: string; record: string }) => Promise<void>]>([
    ['its record is gone', ({ record }) => rm(record)],
    ['its bytes are gone', ({ part }) => rm(part)],
    ['some of its bytes are', ({ part }) => truncate(part, 2_999)],
    ['its record is empty', ({ record }) => truncate(record, 0)],
    ['its record goes on', ({ record }) => appendFile(record, 'x')],
    [
      'its record says something else',
      async ({ record }) => {
        const text = await readFile(record, 'utf8');
        await writeFile(record, text.replace('"next":3', '"next":4'));
      },
    ],
    [
      'its record lies elsewhere',
      async ({ record }) => {
        await rename(record, join(dir, 'elsewhere'));
        await symlink(join(dir, 'elsewhere'), record);
      },
    ],
    ['it is a day old', ({ record }) => aged(record, DAY_S + 1)],
  ])('is removed where %s', async (_, damage) => {
    await store(await run(), 0, 3);
    await damage(await left());
    const uploads = await run();
    expect(uploads.takePartials('p1')).toEqual([]);
    expect((await readdir(dir)).filter((name) => name !== 'elsewhere')).toEqual([]);
    await expect(store(uploads, 3, 4)).rejects.toThrow('came at byte 0');
  });

  it('is compared with its sum before anything is added to it, and removed where it is something else', async () => {
    await store(await run(), 0, 3);
    const { part } = await left();
    const bytes = await readFile(part);
    bytes.writeUInt8(bytes.readUInt8(1_234) ^ 1, 1_234);
    await writeFile(part, bytes);
    const uploads = await run();
    await expect(store(uploads, 3, 4)).rejects.toThrow('damaged');
    expect(await readdir(dir)).toEqual([]);
    expect(await store(uploads, 0, 5)).toMatchObject({ bytes: file.length });
  });

  it('is kept where the clock was set back meanwhile', async () => {
    await store(await run(), 0, 3);
    await aged((await left()).record, -DAY_S * 400);
    expect((await run()).takePartials('p1')).toHaveLength(1);
  });

  it('waits for its device for ten minutes', async () => {
    const former = await run();
    await store(former, 0, 3, 'p1');
    await store(former, 0, 3, 'p2');
    await former[Symbol.asyncDispose]();
    const uploads = await run();
    expect(uploads.takePartials('p1')).toHaveLength(1);
    clock.advance(10 * MINUTE_MS - 1);
    expect(await readdir(dir)).toHaveLength(4);
    clock.advance(1);
    await expect
      .poll(() => readdir(dir))
      .toEqual([expect.stringMatching(/^p1\..*\.half$/), expect.stringMatching(/^p1\..*\.part$/)]);
    expect(uploads.takePartials('p2')).toEqual([]);
    expect(await store(uploads, 3, 5, 'p1')).toMatchObject({ bytes: file.length });
  });

  it('is not waited for behind the end', async () => {
    const former = await run();
    await store(former, 0, 3);
    await former[Symbol.asyncDispose]();
    const uploads = await run();
    expect(clock.timers).toBe(1);
    await uploads[Symbol.asyncDispose]();
    expect(clock.timers).toBe(0);
  });

  it('takes part of the budget, and none beyond it', async () => {
    const former = await run();
    for (const device of ['p1', 'p2']) await store(former, 0, 4, device);
    await former[Symbol.asyncDispose]();
    const uploads = await run({ budgetBytes: 12_288 });
    expect(await readdir(dir)).toHaveLength(2);
    const kept = ['p1', 'p2'].filter((device) => uploads.takePartials(device).length > 0);
    expect(kept).toHaveLength(1);
    await expect(
      uploads.store('p3', 1, { offset: 0, last: true, data: Buffer.alloc(8_193) }),
    ).rejects.toThrow('budget');
  });

  it('goes with a device that is no more', async () => {
    const former = await run();
    await store(former, 0, 3);
    await former[Symbol.asyncDispose]();
    const uploads = await run();
    await uploads.forget('p1');
    expect(uploads.takePartials('p1')).toEqual([]);
    expect(await readdir(dir)).toEqual([]);
  });
});
