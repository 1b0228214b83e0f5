import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DeviceFiles } from '../../src/runtime/device-files.ts';
import { Spool } from '../../src/runtime/spool.ts';
import { FakeClock } from '../support/fake-clock.ts';

it('a chunk that was on its way to the disk when all was forgotten is not told to who comes after', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'heartwire-device-files-'));
  const spool = new Spool({ dir, maxFileBytes: 1_000, budgetBytes: 1_000 }, new FakeClock());
  await spool.start();
  const told: string[] = [];
  const files = new DeviceFiles({
    device: 'p1',
    spool,
    log: { info: () => undefined, warn: () => undefined, error: (_, text) => void told.push(text) },
    stored: (transfer, ok) => void told.push(`${transfer} ${ok}`),
    arrived: () => undefined,
  });
  const half = (text: string) =>
    ({ type: 'storeChunk', transfer: 1, offset: 0, last: false, data: Buffer.from(text) }) as const;
  files.store(half('old'));
  files.forget();
  files.store(half('new'));
  await expect.poll(() => told).toEqual(['1 true']);
  expect(await readdir(dir)).toHaveLength(1);
  await spool[Symbol.asyncDispose]();
  expect(told).toEqual(['1 true']);
  await rm(dir, { recursive: true });
});
