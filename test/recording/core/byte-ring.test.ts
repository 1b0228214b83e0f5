import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteRing, IN, numberOf, OUT, readSegments } from '../../../src/recording/core/byte-ring.ts';
import { RingMemory } from '../../../src/recording/core/ring-memory.ts';

const KEEP_US = 120e6;
const KIB = 1_024;
const ring = (maxBytes = 256 * KIB, memory = new RingMemory(64 * KIB * KIB)) =>
  new ByteRing(memory, { maxBytes, keepUs: KEEP_US });
const read = (of: ByteRing) =>
  [...readSegments(of.segments)].map(({ kind, connection, us, bytes, whole }) => ({
    kind,
    connection,
    us,
    bytes: [...bytes],
    whole,
  }));

const record = fc.record({
  kind: fc.constantFrom('in' as const, 'out' as const, 'note' as const, 'open' as const),
  connection: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(2_000_000)),
  afterUs: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 40 })),
  bytes: fc.uint8Array({ maxLength: 200 }),
  whole: fc.boolean(),
});

describe('a ring of bytes', () => {
  it('gives back what was put into it, as long as there is room and it is recent', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        const of = ring();
        let us = 5_000;
        const put = records.map(({ kind, connection, afterUs, bytes, whole }) => {
          us += afterUs;
          of.push(numberOf(kind), whole, connection, us, bytes);
          return { kind, connection, us, bytes: [...bytes], whole };
        });
        const got = read(of);
        // What went is the oldest, and all that went is older than what is kept.
        expect(got).toEqual(put.slice(put.length - got.length));
        for (const { us: at } of put.slice(0, put.length - got.length))
          expect(us - at).toBeGreaterThan(KEEP_US);
      }),
    );
  });

  it('cuts chunks that are longer than its segments, and loses none of their bytes', () => {
    const of = ring();
    const bytes = Uint8Array.from({ length: 65_536 }, (_, at) => at % 251);
    of.push(IN, true, 1, 10, bytes);
    const got = read(of);
    expect(got.flatMap((each) => each.bytes)).toEqual([...bytes]);
    expect(got.map(({ whole }) => whole)).toEqual([true, ...got.slice(1).map(() => false)]);
  });

  it('never holds more than it may, and keeps the newest records', () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 64 }), fc.integer({ min: 1, max: 3_000 }), (kib, size) => {
        const of = ring(kib * KIB);
        for (let n = 0; n < 200; n++) {
          of.push(OUT, false, 1, n * 1_000, new Uint8Array(size).fill(n));
          expect(of.held).toBeLessThanOrEqual(kib * KIB);
        }
        const got = read(of);
        expect(got.at(-1)).toMatchObject({ us: 199_000, bytes: expect.arrayContaining([199]) });
        expect(got.map(({ us }) => us)).toEqual(got.map(({ us }) => us).toSorted((a, b) => a - b));
      }),
      { numRuns: 30 },
    );
  });

  it('takes little for a device that says little, however long it runs', () => {
    const of = ring();
    for (let n = 0; n < 200_000; n++) of.push(IN, true, 1, n * 3e6, new Uint8Array(6));
    expect(of.held).toBeLessThan(6_000);
    const got = read(of);
    expect((got.at(-1)?.us ?? 0) - (got[0]?.us ?? 0)).toBeGreaterThanOrEqual(KEEP_US);
  });

  it('leaves segments as they are that are being read', () => {
    const of = ring(16 * KIB);
    of.push(IN, true, 1, 1, Uint8Array.of(1, 2, 3));
    const before = [...of.segments];
    for (const segment of before) segment.readers += 1;
    for (let n = 0; n < 100; n++) of.push(IN, true, 1, 2 + n, new Uint8Array(1_000).fill(9));
    expect([...readSegments(before)].map(({ bytes }) => bytes[0])).toEqual(expect.arrayContaining([1]));
    expect([...readSegments(before)][0]?.bytes).toEqual(Uint8Array.of(1, 2, 3));
  });
});

describe('the memory of all rings', () => {
  it('is never exceeded, and takes from the one that says the most first', () => {
    const memory = new RingMemory(128 * KIB);
    const quiet = Array.from({ length: 8 }, () => ring(256 * KIB, memory));
    const busy = ring(256 * KIB, memory);
    for (const each of quiet) each.push(IN, true, 1, 0, Uint8Array.of(7));
    for (let n = 0; n < 1_000; n++) {
      busy.push(IN, true, 1, n, new Uint8Array(1_000));
      for (const each of quiet) each.push(IN, true, 1, n, Uint8Array.of(n));
      expect(memory.taken).toBeLessThanOrEqual(128 * KIB);
    }
    for (const each of quiet) expect(read(each)).toHaveLength(1_001);
    expect(busy.held).toBeLessThan(128 * KIB);
    expect(read(busy).at(-1)?.us).toBe(999);
  });

  it('lets a device without any memory be without records, and breaks nothing', () => {
    const memory = new RingMemory(1_300);
    const all = Array.from({ length: 10 }, () => ring(256 * KIB, memory));
    for (let n = 0; n < 500; n++) for (const each of all) each.push(IN, true, 1, n, Uint8Array.of(1));
    expect(memory.taken).toBeLessThanOrEqual(1_300);
    expect(all.filter((each) => each.segments.length > 0)).toHaveLength(2);
    for (const each of all) each.clear();
    expect(memory.taken).toBe(0);
  });

  it('is given back with what is cleared', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(4_000)), { maxLength: 300 }), (pushes) => {
        const memory = new RingMemory(64 * KIB);
        const all = Array.from({ length: 6 }, () => ring(32 * KIB, memory));
        for (const [index, size] of pushes) all[index]?.push(IN, true, 1, 0, new Uint8Array(size));
        expect(memory.taken).toBe(all.reduce((sum, { held }) => sum + held, 0));
        for (const each of all) each.clear();
        expect(memory.taken).toBe(0);
      }),
    );
  });
});
