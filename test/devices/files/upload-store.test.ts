import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UploadStore } from '../../../src/devices/files/upload-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-spool-'));
});
afterEach(() => rm(dir, { recursive: true }));

const clock = new FakeClock();
const make = (changes = {}) =>
  new UploadStore({ dir, maxFileBytes: 1_000, budgetBytes: 100_000, maxFiles: 100, ...changes }, clock);
const whole = (data: Buffer) => ({ offset: 0, last: true, data });

/** For a while, every write takes so many bytes at most, and says no word about the others. */
async function diskThatTakes(most: number): Promise<Disposable> {
  const handle = await open(join(dir, 'any'), 'w');
  await handle.close();
  const { write } = Object.getPrototypeOf(handle);
  const partly = vi.spyOn(Object.getPrototypeOf(handle), 'write');
  partly.mockImplementation(function (this: unknown, data: unknown, at: unknown, length: unknown, to) {
    return write.call(this, data, at, Math.min(Number(length), most), to);
  });
  return { [Symbol.dispose]: () => partly.mockRestore() };
}

describe('the uploads', () => {
  it('keeps a file once its last piece is there, with the sum of all of them', async () => {
    const uploads = make();
    await uploads.start();
    const [one, two] = [Buffer.from('hello '), Buffer.from('world')];
    expect(await uploads.store('p1', 7, { offset: 0, last: false, data: one })).toBeUndefined();
    expect(uploads.files).toEqual([]);
    const file = await uploads.store('p1', 7, { offset: 6, last: true, data: two });
    const sum = crc32(Buffer.concat([one, two]))
      .toString(16)
      .padStart(8, '0');
    expect(file).toMatchObject({ bytes: 11, crc32: sum });
    expect(await readFile(uploads.find(file?.id ?? '')?.path ?? '', 'utf8')).toBe('hello world');
  });

  it('writes a whole piece where the disk takes only a part of it at once', async () => {
    using _disk = await diskThatTakes(4);
    const uploads = make();
    await uploads.start();
    const file = await uploads.store('p1', 7, whole(Buffer.from('hello world')));
    expect(await readFile(uploads.find(file?.id ?? '')?.path ?? '', 'utf8')).toBe('hello world');
  });

  it('fails where the disk takes nothing and says nothing, and keeps nothing of it', async () => {
    const uploads = make();
    await uploads.start();
    {
      using _disk = await diskThatTakes(0);
      await expect(uploads.store('p1', 7, whole(Buffer.from('hello world')))).rejects.toThrow(
        '0 of 11 bytes',
      );
    }
    expect(await readdir(dir)).toEqual(['any']);
    expect(await uploads.store('p1', 7, whole(Buffer.from('hello world')))).toMatchObject({ bytes: 11 });
  });

  it('says in a sentence that its folder is none', async () => {
    const file = join(dir, 'a-file');
    await writeFile(file, '');
    await expect(make({ dir: file }).start()).rejects.toMatchObject({
      code: 'file_not_written',
      seen: file,
      message: expect.stringContaining('EEXIST'),
    });
  });

  it('begins anew at offset 0, and refuses a piece that does not fit, with all that was there', async () => {
    const uploads = make();
    await uploads.start();
    await uploads.store('p1', 7, { offset: 0, last: false, data: Buffer.from('old') });
    await uploads.store('p1', 7, { offset: 0, last: false, data: Buffer.from('new') });
    await expect(uploads.store('p1', 7, { offset: 9, last: true, data: Buffer.from('!') })).rejects.toThrow(
      'byte 9',
    );
    expect(await readdir(dir)).toEqual([]);
  });

  it('lets the oldest go when the budget is spent, and takes nothing that alone is beyond it', async () => {
    // Three blocks: one for a file, and another one for a record while it comes.
    const uploads = make({ budgetBytes: 12_288 });
    await uploads.start();
    for (const transfer of [1, 2, 3]) await uploads.store('p1', transfer, whole(Buffer.alloc(400)));
    expect(uploads.files.map(({ id }) => id.replace(/^.*Z-/, ''))).toEqual(['2.bin', '3.bin']);
    expect(await readdir(dir)).toHaveLength(2);
    await expect(uploads.store('p1', 4, whole(Buffer.alloc(8_193)))).rejects.toThrow('budget');
    expect(await readdir(dir)).toHaveLength(2);
  });

  it('knows what an earlier run left, removes partials that nobody can go on with, and leaves what is not its own', async () => {
    const earlier = make();
    await earlier.start();
    const file = await earlier.store('p1', 1, whole(Buffer.from('kept')));
    await earlier.store('p1', 2, { offset: 0, last: false, data: Buffer.from('half') });
    await writeFile(join(dir, 'notes.txt'), 'mine');
    const uploads = make();
    await uploads.start();
    expect(uploads.files.map(({ id }) => id)).toEqual([file?.id]);
    expect((await readdir(dir)).sort()).toEqual(['notes.txt', file?.id].sort());
    expect(uploads.find('notes.txt')).toBeUndefined();
    await earlier[Symbol.asyncDispose]();
  });

  it('keeps no file that is not what its chunks say', async () => {
    const uploads = make();
    await uploads.start();
    const data = Buffer.from('hello world');
    const right = { size: 11, crc32: crc32(data) };
    await expect(uploads.store('p1', 1, { ...whole(data), whole: { ...right, size: 12 } })).rejects.toThrow(
      'the file has 11 bytes, and its chunks say 12',
    );
    await expect(uploads.store('p1', 1, { ...whole(data), whole: { ...right, crc32: 1 } })).rejects.toThrow(
      'its chunks say 00000001',
    );
    expect(await readdir(dir)).toEqual([]);
    expect(await uploads.store('p1', 1, { ...whole(data), whole: right })).toMatchObject({ bytes: 11 });
  });

  it('removes the partials of a device that is gone, and of no other', async () => {
    const uploads = make();
    await uploads.start();
    const half = { offset: 0, last: false, data: Buffer.from('half') };
    for (const device of ['p1', 'p10']) await uploads.store(device, 2, half);
    await uploads.forget('p1');
    expect(await readdir(dir)).toEqual([expect.stringMatching(/^p10\./)]);
    await uploads[Symbol.asyncDispose]();
  });

  it('removes the half of which the first piece is only on its way to the disk, too', async () => {
    const uploads = make();
    await uploads.start();
    const stored = uploads.store('p1', 2, { offset: 0, last: false, data: Buffer.from('half') });
    await Promise.all([stored, uploads.forget('p1')]);
    expect(await readdir(dir)).toEqual([]);
    await uploads[Symbol.asyncDispose]();
  });

  it('removes what is not whole when it ends, where nothing says how to go on from it', async () => {
    const uploads = make();
    await uploads.start();
    await uploads.store('p1', 2, { offset: 0, last: false, data: Buffer.from('half') });
    await uploads[Symbol.asyncDispose]();
    expect(await readdir(dir)).toEqual([]);
    await expect(uploads.store('p1', 2, whole(Buffer.from('late')))).rejects.toThrow('no more files');
  });
});
