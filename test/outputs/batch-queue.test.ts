import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchQueue } from '../../src/outputs/core/batch-queue.ts';

const limits = {
  maxBytes: 100,
  batchEntries: 3,
  batchBytes: 50,
  lingerMs: 10,
  backOffMs: (n: number) => n * 100,
};

describe('what waits for an output', () => {
  it('goes in batches: when enough is there, or the first has waited long enough', () => {
    const queue = new BatchQueue<string>(limits);
    expect(queue.nextDeadline()).toBe(Infinity);
    queue.push('a', 1, 0);
    expect([queue.take(9), queue.nextDeadline()]).toEqual([[], 10]);
    queue.push('b', 1, 9);
    expect(queue.take(10)).toEqual(['a', 'b']);
    expect([queue.take(99), queue.nextDeadline()]).toEqual([[], Infinity]);
    queue.delivered();
    for (const each of ['c', 'd', 'e', 'f']) queue.push(each, 1, 20);
    expect(queue.take(20)).toEqual(['c', 'd', 'e']);
    queue.delivered();
    expect([queue.sent, queue.waiting, queue.nextDeadline()]).toEqual([5, 1, 30]);
  });

  it('goes again as it was, after a pause that grows, and not sooner than asked for', () => {
    const queue = new BatchQueue<string>(limits);
    queue.push('a', 1, 0);
    expect(queue.take(10)).toEqual(['a']);
    queue.push('b', 1, 11);
    expect(queue.failed(20)).toBe(120);
    expect(queue.take(119)).toEqual([]);
    expect(queue.take(120)).toEqual(['a']);
    expect(queue.failed(130)).toBe(330);
    expect(queue.take(330)).toEqual(['a']);
    expect(queue.failed(340, 5_000)).toBe(5_340);
    expect(queue.take(5_340)).toEqual(['a']);
    queue.delivered();
    expect(queue.take(5_340)).toEqual(['b']);
    queue.failed(5_341);
    expect(queue.nextDeadline()).toBe(5_441);
  });

  it('sends an entry that is larger than a batch by itself', () => {
    const queue = new BatchQueue<string>(limits);
    queue.push('large', 60, 0);
    queue.push('b', 1, 0);
    expect(queue.take(0)).toEqual(['large']);
  });

  it('loses the oldest beyond its bound, but never what may have arrived', () => {
    const queue = new BatchQueue<number>({ ...limits, lingerMs: 0 });
    queue.push(0, 40, 0);
    expect(queue.take(0)).toEqual([0]);
    for (const n of [1, 2, 3]) queue.push(n, 30, 0);
    expect([queue.lost, queue.waiting, queue.waitingBytes]).toEqual([1, 3, 100]);
    queue.failed(1);
    expect(queue.take(1_000)).toEqual([0]);
    queue.delivered();
    expect(queue.take(1_000)).toEqual([2]);
  });

  it('keeps order and counts exactly, whatever comes of its batches', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), bytes: fc.integer({ min: 1, max: 60 }) }),
      fc.record({
        kind: fc.constantFrom('take' as const, 'delivered' as const, 'failed' as const, 'refused' as const),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new BatchQueue<number>(limits);
        const arrived: number[] = [];
        let batch: readonly number[] = [];
        let pushed = 0;
        let nowMs = 0;
        for (const each of steps) {
          nowMs += 50;
          if (each.kind === 'push') queue.push(pushed++, each.bytes, nowMs);
          else if (each.kind === 'take') {
            const taken = queue.take(nowMs);
            if (batch.length > 0) expect(taken).toEqual([]);
            else batch = taken;
          } else if (batch.length > 0) {
            if (each.kind === 'delivered') arrived.push(...batch);
            if (each.kind === 'failed') queue.failed(nowMs);
            else queue[each.kind]();
            batch = [];
          }
          expect(queue.sent + queue.lost + queue.waiting).toBe(pushed);
          expect(queue.sent).toBe(arrived.length);
        }
        expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b));
      }),
    );
  });
});
