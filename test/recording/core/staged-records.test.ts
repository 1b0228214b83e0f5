import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteRing, numberOf, RECORD_KINDS, readSegments } from '../../../src/recording/core/byte-ring.ts';
import { RingMemory } from '../../../src/recording/core/ring-memory.ts';
import { StagedRecords } from '../../../src/recording/core/staged-records.ts';

const LIMITS = { maxBytes: 1 << 20, keepUs: 1e12 };
const IN = numberOf('in');

const record = fc.record({
  ring: fc.nat({ max: 40 }),
  kind: fc.constantFrom(...RECORD_KINDS),
  whole: fc.boolean(),
  connection: fc.nat({ max: 300 }),
  later: fc.nat({ max: 1e6 }),
  bytes: fc.uint8Array({ maxLength: 60 }),
  repeat: fc.constantFrom(1, 1, 1, 100),
  drains: fc.constantFrom(false, false, false, true),
});

const shown = (ring: ByteRing) =>
  [...readSegments(ring.segments)].map(({ bytes, ...rest }) => ({ ...rest, bytes: [...bytes] }));

describe('records that are staged', () => {
  it('are in their rings as if each had gone there at once', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        const memory = new RingMemory(1 << 26);
        const staged = new StagedRecords();
        const rings = Array.from({ length: 41 }, () => new ByteRing(memory, LIMITS));
        const direct = Array.from({ length: 41 }, () => new ByteRing(memory, LIMITS));
        const numbers = rings.map((ring) => staged.join(ring));
        let us = 0;
        for (const { ring, kind, whole, connection, later, bytes, repeat, drains } of records) {
          us += later;
          for (let time = 0; time < repeat; time++) {
            staged.push(numbers[ring] ?? 0, numberOf(kind), whole, connection, us, bytes);
            direct[ring]?.push(numberOf(kind), whole, connection, us, bytes);
          }
          if (drains) staged.drain();
        }
        staged.drain();
        expect(rings.map(shown)).toEqual(direct.map(shown));
      }),
      { numRuns: 50 },
    );
  });

  it('may be longer than all that is staged at once', () => {
    const staged = new StagedRecords();
    const ring = new ByteRing(new RingMemory(1 << 22), LIMITS);
    const number = staged.join(ring);
    staged.push(number, IN, true, 1, 1, Uint8Array.of(1));
    staged.push(number, IN, true, 1, 2, new Uint8Array(100_000).fill(2));
    staged.push(number, IN, true, 1, 3, Uint8Array.of(3));
    staged.drain();
    const bytes = [...readSegments(ring.segments)].flatMap((each) => [...each.bytes]);
    expect(bytes).toEqual([1, ...new Array(100_000).fill(2), 3]);
  });

  it('do not go to a ring that took the number of another one', () => {
    const staged = new StagedRecords();
    const memory = new RingMemory(1 << 20);
    const [gone, next] = [new ByteRing(memory, LIMITS), new ByteRing(memory, LIMITS)];
    const number = staged.join(gone);
    staged.push(number, IN, true, 1, 1, Uint8Array.of(1));
    staged.leave(number);
    expect(staged.join(next)).toBe(number);
    staged.push(number, IN, true, 1, 2, Uint8Array.of(2));
    staged.drain();
    expect([shown(gone), shown(next)].map((each) => each.map(({ bytes }) => bytes))).toEqual([[[1]], [[2]]]);
  });
});
