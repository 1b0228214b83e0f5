import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocksOf, DiskBudget, type DiskUse } from '../../src/system/disk-budget.ts';

const KIB = 1_024;
const file = (kib: number): DiskUse => ({ bytes: kib * KIB, files: 1 });

describe('what a file takes of the disk', () => {
  it.each([
    [0, 4_096],
    [4, 4_096],
    [4_096, 4_096],
    [4_097, 8_192],
  ])('is whole blocks: %i bytes take %i', (bytes, taken) => {
    expect(blocksOf(bytes)).toBe(taken);
  });
});

describe('where room is needed', () => {
  it('the oldest file of the device that takes the most goes first', () => {
    const budget = new DiskBudget<string>({ budgetBytes: 100 * KIB, maxFiles: 100 });
    budget.add('small', 'oldest of all', file(10));
    budget.add('large', 'first', file(30));
    budget.add('large', 'second', file(30));
    budget.add('small', 'younger', file(10));
    expect(budget.makeRoom('other', file(25))).toEqual(['first']);
    expect(budget.makeRoom('other', file(40))).toEqual([]);
    expect(budget.use).toEqual({ bytes: 50 * KIB, files: 3 });
  });

  it('a device that takes the most with what it asks for gives it itself', () => {
    const budget = new DiskBudget<string>({ budgetBytes: 100 * KIB, maxFiles: 100 });
    budget.add('a', 'a1', file(40));
    budget.add('b', 'b1', file(50));
    expect(budget.makeRoom('a', file(20))).toEqual(['a1']);
  });

  it('of those that take as much, the one with the oldest file gives it', () => {
    const budget = new DiskBudget<string>({ budgetBytes: 100 * KIB, maxFiles: 3 });
    for (const name of ['b', 'a', 'c']) budget.add(name, name, file(4));
    expect(budget.makeRoom('d', file(4))).toEqual(['b']);
  });

  it('the number of files counts as their bytes do', () => {
    const budget = new DiskBudget<string>({ budgetBytes: 1_000 * KIB, maxFiles: 10 });
    for (let index = 0; index < 8; index++) budget.add('tiny', `t${index}`, file(4));
    budget.add('large', 'l', file(500));
    expect(budget.makeRoom('other', { bytes: 8 * KIB, files: 2 })).toEqual(['t0']);
  });

  it('a device keeps to its share, though nothing else is there', () => {
    const budget = new DiskBudget<string>({ budgetBytes: 100 * KIB, maxFiles: 10, deviceShare: 0.5 });
    for (let index = 0; index < 5; index++) budget.add('a', `a${index}`, file(4));
    expect(budget.makeRoom('a', file(4))).toEqual(['a0']);
    expect(budget.refuses('a', file(51))).toBe('device');
    expect(budget.refuses('a', file(50))).toBeUndefined();
  });

  it('says what can never fit: what is held cannot be removed', () => {
    const budget = new DiskBudget<string>({ budgetBytes: 100 * KIB, maxFiles: 10 });
    budget.hold('a', file(60));
    expect(budget.refuses('b', file(41))).toBe('all');
    expect(budget.largerHolders('b', file(41))).toEqual(['a']);
    expect(budget.largerHolders('b', file(60))).toEqual([]);
    budget.release('a', file(60));
    expect(budget.refuses('b', file(100))).toBeUndefined();
    expect(budget.use).toEqual({ bytes: 0, files: 0 });
  });
});

describe('the counts', () => {
  const step = fc.record({
    device: fc.constantFrom('a', 'b', 'c'),
    kib: fc.integer({ min: 1, max: 40 }),
    held: fc.boolean(),
    ends: fc.boolean(),
  });

  it('are those of what is there, within the limits, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0.4, 1), (steps, deviceShare) => {
        const limits = { budgetBytes: 100 * KIB, maxFiles: 8, deviceShare };
        const budget = new DiskBudget<number>(limits);
        const there = new Map<number, { device: string; use: DiskUse; held: boolean }>();
        for (const [id, { device, kib, held, ends }] of steps.entries()) {
          const use = file(kib);
          if (budget.refuses(device, use) === undefined) {
            for (const removed of budget.makeRoom(device, use)) {
              expect(there.get(removed)?.held).toBe(false);
              there.delete(removed);
            }
            if (held) budget.hold(device, use);
            else budget.add(device, id, use);
            there.set(id, { device, use, held });
          }
          const [first] = there;
          if (ends && first !== undefined) {
            const [name, gone] = first;
            if (gone.held) budget.release(gone.device, gone.use);
            else budget.remove(gone.device, name);
            there.delete(name);
          }
          const sum = (of: string | undefined) =>
            [...there.values()]
              .filter((each) => of === undefined || each.device === of)
              .reduce((all, each) => ({ bytes: all.bytes + each.use.bytes, files: all.files + 1 }), {
                bytes: 0,
                files: 0,
              });
          expect(budget.use).toEqual(sum(undefined));
          expect(budget.use.bytes).toBeLessThanOrEqual(limits.budgetBytes);
          expect(budget.use.files).toBeLessThanOrEqual(limits.maxFiles);
          for (const name of ['a', 'b', 'c']) {
            expect(budget.useOf(name)).toEqual(sum(name));
            expect(sum(name).bytes).toBeLessThanOrEqual(limits.budgetBytes * deviceShare);
          }
        }
      }),
    );
  });
});
