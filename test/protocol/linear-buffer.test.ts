import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LinearBuffer } from '../../src/protocol/linear-buffer.ts';

function filled(buffer: LinearBuffer, bytes: number, chunk = 1000): void {
  for (let left = bytes; left > 0; left -= chunk)
    buffer.append(new Uint8Array(Math.min(left, chunk)).fill(7));
}

test('takes no memory before bytes arrive, then 4 KiB', () => {
  const buffer = new LinearBuffer();
  expect(buffer.capacity).toBe(0);
  filled(buffer, 1);
  expect(buffer.capacity).toBe(4096);
});

test('grows with what arrives, by doubling', () => {
  const buffer = new LinearBuffer();
  filled(buffer, 100_000);
  expect(buffer.capacity).toBe(131_072);
});

test('starts over at the front when it is empty', () => {
  const buffer = new LinearBuffer();
  filled(buffer, 3000);
  buffer.consumeTo(buffer.tail);
  expect([buffer.head, buffer.tail, buffer.length]).toEqual([0, 0, 0]);
  filled(buffer, 4096);
  expect(buffer.capacity).toBe(4096);
});

test('gives memory back after a burst, emptied or not', () => {
  const emptied = new LinearBuffer();
  filled(emptied, 100_000);
  emptied.consumeTo(emptied.tail);
  filled(emptied, 100);
  emptied.consumeTo(emptied.tail);
  filled(emptied, 100);
  expect(emptied.capacity).toBe(4096);

  const never = new LinearBuffer();
  filled(never, 100_000);
  for (let round = 0; round < 400; round++) {
    never.consumeTo(never.tail - 10);
    filled(never, 1000);
  }
  expect(never.capacity).toBe(4096);
});

test('keeps its memory while frames of one size go through it', () => {
  const buffer = new LinearBuffer();
  filled(buffer, 60_000);
  buffer.consumeTo(buffer.tail);
  const before = buffer.bytes;
  filled(buffer, 60_000);
  buffer.consumeTo(buffer.tail);
  expect(buffer.bytes).toBe(before);
});

test('is a queue of bytes, whatever is appended and consumed', () => {
  const step = fc.record({
    append: fc.integer({ min: 1, max: 9000 }),
    consume: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
      const buffer = new LinearBuffer();
      const model: number[] = [];
      let next = 0;
      let most = 0;
      for (const { append, consume } of steps) {
        const chunk = Uint8Array.from({ length: append }, () => next++ & 0xff);
        buffer.append(chunk);
        for (const byte of chunk) model.push(byte);
        most = Math.max(most, model.length);
        const count = Math.floor(consume * model.length);
        buffer.consumeTo(buffer.head + count);
        model.splice(0, count);
        expect(buffer.length).toBe(model.length);
        expect(Buffer.from(model).equals(buffer.bytes.subarray(buffer.head, buffer.tail))).toBe(true);
        expect(buffer.capacity).toBeLessThanOrEqual(Math.max(4096, 4 * most));
        if (buffer.length >= 4) expect(buffer.view.getUint8(buffer.head)).toBe(model[0]);
      }
    }),
    { numRuns: 50 },
  );
});
