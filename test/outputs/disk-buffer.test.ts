import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PointRecord } from '../../src/outputs/core/segment.ts';
import { DiskBuffer } from '../../src/outputs/disk-buffer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-buffer-'));
});
afterEach(() => rm(folder, { recursive: true }));

const MIB = 1024 * 1024;
const record = (name: number, points = 1, bytes = 20): PointRecord => ({
  points,
  payload: `p${name} ${'x'.repeat(bytes)}\n`,
});
const one = { points: 1, bytes: 0 };
const names = (batch: PointRecord | undefined): number[] =>
  [...(batch?.payload ?? '').matchAll(/^p(\d+)/gm)].map((match) => Number(match[1]));
const begin = async (maxBytes = MIB): Promise<DiskBuffer> => {
  const buffer = new DiskBuffer({ dir: folder, maxBytes });
  await buffer.open();
  return buffer;
};
const all = async (buffer: DiskBuffer): Promise<number[]> => {
  const found: number[] = [];
  for (let batch = await buffer.first(one); batch !== undefined; batch = await buffer.first(one)) {
    found.push(...names(batch));
    await buffer.advance();
  }
  return found;
};

describe('points on the disk', () => {
  it('come in order, and again after a restart, whatever was appended, read and restarted between', async () => {
    const step = fc.constantFrom('append', 'take', 'advance', 'restart', 'kill');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        await rm(folder, { recursive: true });
        let buffer = await begin();
        const killed: DiskBuffer[] = [];
        let appended = 0;
        let done = 0;
        let taken = 0;
        for (const each of steps) {
          if (each === 'append') await buffer.append(record(appended++));
          if (each === 'take') {
            const batch = await buffer.first({ points: 3, bytes: MIB });
            taken = names(batch).length;
            expect(names(batch)).toEqual(Array.from({ length: taken }, (_, index) => done + index));
          }
          if (each === 'advance' && taken > 0) {
            await buffer.advance();
            done += taken;
            taken = 0;
          }
          if (each === 'restart') await buffer.close();
          if (each === 'restart' || each === 'kill') {
            taken = 0;
            if (each === 'kill') killed.push(buffer);
            buffer = await begin();
          }
          expect([buffer.points, buffer.lost]).toEqual([appended - done, 0]);
        }
        expect(await all(buffer)).toEqual(
          Array.from({ length: appended - done }, (_, index) => done + index),
        );
        for (const each of [...killed, buffer]) await each.close();
        expect((await readdir(folder)).filter((name) => name.endsWith('.points'))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('are not taken for those of an earlier segment that was read in part', async () => {
    const before = await begin();
    for (const name of [1, 2]) await before.append(record(name));
    await before.first(one);
    await before.advance();
    expect(await all(before)).toEqual([2]);
    const killed = await begin();
    await killed.append(record(3));
    const buffer = await begin();
    expect(await all(buffer)).toEqual([3]);
    for (const each of [before, killed, buffer]) await each.close();
  });

  it('keep the budget: the oldest go, counted, and what is under way stays', async () => {
    const buffer = await begin();
    await buffer.append(record(0, 10, 30_000));
    expect(names(await buffer.first(one))).toEqual([0]);
    for (let name = 1; name <= 100; name++) await buffer.append(record(name, 10, 30_000));
    expect(buffer.bytes).toBeLessThanOrEqual(MIB);
    expect(buffer.lost).toBeGreaterThan(0);
    expect(buffer.points + buffer.lost).toBe(1_010);
    await buffer.advance();
    const rest = await all(buffer);
    expect(rest).toEqual(Array.from({ length: rest.length }, (_, index) => 101 - rest.length + index));
    expect(buffer.lost).toBe(1_000 - rest.length * 10);
    await buffer.close();
  });

  it('that a disk damaged are counted as lost, the rest comes, and the file is set aside', async () => {
    const before = await begin();
    for (const name of [1, 2, 3]) await before.append(record(name, 7));
    await before.close();
    const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.points'));
    const bytes = await readFile(join(folder, name));
    bytes[bytes.indexOf('p2') + 5] = 0;
    await writeFile(join(folder, name), bytes);
    const buffer = await begin();
    expect(await all(buffer)).toEqual([1, 3]);
    expect([buffer.lost, buffer.points, buffer.setAside]).toEqual([7, 0, 1]);
    expect(await readFile(join(folder, 'damaged'))).toEqual(bytes);
    await buffer.close();
  });

  it('that were cut off by the end of the process are counted as lost', async () => {
    const before = await begin();
    for (const name of [1, 2]) await before.append(record(name, 7));
    const [name = ''] = (await readdir(folder)).filter((each) => each.endsWith('.points'));
    const bytes = await readFile(join(folder, name));
    await before.close();
    await writeFile(join(folder, name), bytes.subarray(0, bytes.length - 3));
    const buffer = await begin();
    await buffer.append(record(3));
    expect(await all(buffer)).toEqual([1, 3]);
    expect(buffer.lost).toBe(7);
    await buffer.close();
  });

  it('of a folder that is not there yet wait until it can be made', async () => {
    await writeFile(join(folder, 'file'), '');
    const dir = join(folder, 'file', 'buffer');
    const buffer = new DiskBuffer({ dir, maxBytes: MIB });
    await expect(buffer.open()).rejects.toThrow();
    await expect(buffer.append(record(1))).rejects.toThrow();
    await rm(join(folder, 'file'));
    await buffer.append(record(1));
    expect(await all(buffer)).toEqual([1]);
    await buffer.close();
  });
});
