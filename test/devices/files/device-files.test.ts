import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeviceFiles } from '../../../src/devices/files/device-files.ts';
import { UploadStore } from '../../../src/devices/files/upload-store.ts';
import { FakeClock } from '../../support/fake-clock.ts';

describe('a chunk of a device', () => {
  let dir: string;
  let uploads: UploadStore;
  const told: string[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heartwire-device-files-'));
    uploads = new UploadStore(
      { dir, maxFileBytes: 1_000, budgetBytes: 100_000, maxFiles: 100 },
      new FakeClock(),
    );
    await uploads.start();
    told.length = 0;
  });
  afterEach(() => rm(dir, { recursive: true }));

  const filesOf = (arrived: () => void): DeviceFiles =>
    new DeviceFiles({
      device: 'p1',
      uploads,
      log: { info: () => undefined, warn: () => undefined, error: (_, text) => void told.push(text) },
      stored: (transfer, ok) => void told.push(`${transfer} ${ok}`),
      arrived,
    });
  const chunk = (text: string, last = false) =>
    ({ type: 'storeChunk', transfer: 1, offset: 0, last, data: Buffer.from(text) }) as const;

  it('that was on its way to the disk when all was forgotten is not told to who comes after', async () => {
    const files = filesOf(() => undefined);
    files.store(chunk('old'));
    files.forget();
    files.store(chunk('new'));
    await expect.poll(() => told).toEqual(['1 true']);
    expect(await readdir(dir)).toHaveLength(1);
    await uploads[Symbol.asyncDispose]();
    expect(told).toEqual(['1 true']);
  });

  it('makes a whole file, and who cannot hear of that is told of as a defect', async () => {
    const files = filesOf(() => {
      throw new TypeError('the feed is broken');
    });
    files.store(chunk('whole', true));
    await expect
      .poll(() => told)
      .toEqual(['1 true', expect.stringContaining('TypeError: the feed is broken')]);
    expect(uploads.files).toHaveLength(1);
  });
});
