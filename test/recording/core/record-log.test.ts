import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteRing, numberOf, RECORD_KINDS, readSegments } from '../../../src/recording/core/byte-ring.ts';
import { BLOCK_BYTES, RecordLog } from '../../../src/recording/core/record-log.ts';
import { RingMemory } from '../../../src/recording/core/ring-memory.ts';

const KIB = 1_024;
const IN = numberOf('in');
const LIMITS = { maxBytes: 1 << 20, keepUs: 1e12 };

const record = fc.record({
  owner: fc.nat({ max: 40 }),
  kind: fc.constantFrom(...RECORD_KINDS),
  whole: fc.boolean(),
  connection: fc.nat({ max: 300 }),
  later: fc.constantFrom(0, 1, 1_000, 1e6, 1e10),
  size: fc.constantFrom(0, 1, 12, 47, 48, 60, 3_000, 5_000),
  repeat: fc.constantFrom(1, 1, 1, 100),
  collects: fc.constantFrom(false, false, false, true),
});

const shown = (ring: ByteRing) =>
  [...readSegments(ring.segments)].map(({ bytes, ...rest }) => ({ ...rest, bytes: [...bytes] }));

/** Devices of one log, each with its ring. */
function fleet(count: number, limits = LIMITS, logBytes = 1 << 26, ringBytes = 1 << 26) {
  const memory = new RingMemory(ringBytes);
  const log = new RecordLog(limits, logBytes);
  const devices = Array.from({ length: count }, () => {
    const ring = new ByteRing(memory, limits);
    return { ring, index: log.join(ring) };
  });
  const push = (device: number, us: number, bytes: Uint8Array, kind = IN, whole = true, connection = 1) =>
    log.push(devices[device]?.index ?? 0, kind, whole, connection, us, bytes);
  const collected = (device: number) => {
    const { ring, index } = devices[device] ?? { ring: new ByteRing(memory, limits), index: 0 };
    log.collect(index);
    return shown(ring);
  };
  return { memory, log, devices, push, collected };
}

describe('a log of what all devices say', () => {
  it.each([
    ['where all of it has room', 1 << 26],
    ['where most of it has gone to the rings', 2 * BLOCK_BYTES],
  ])('gives each ring what it would have without it, %s', (_, logBytes) => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60 }), (records) => {
        const { push, collected, devices } = fleet(41, LIMITS, logBytes);
        const direct = Array.from({ length: 41 }, () => new ByteRing(new RingMemory(1 << 26), LIMITS));
        let us = 0;
        for (const { owner, kind, whole, connection, later, size, repeat, collects } of records) {
          us += later;
          for (let time = 0; time < repeat; time++) {
            const bytes = new Uint8Array(size).fill(time + 1);
            push(owner, us, bytes, numberOf(kind), whole, connection);
            // Longer ones are cut at another place there.
            for (let at = 0; at === 0 || at < size; at += 4_095)
              direct[owner]?.push(
                numberOf(kind),
                whole && at === 0,
                connection,
                us,
                bytes.subarray(at, at + 4_095),
              );
          }
          if (collects) collected(owner);
        }
        expect(devices.map((_, device) => collected(device))).toEqual(direct.map(shown));
      }),
      { numRuns: 50 },
    );
  });

  it('keeps the end of what a device said, as much as it may have', () => {
    fc.assert(
      fc.property(fc.nat({ max: 600 }), fc.integer({ min: 33, max: 200 }), (size, kib) => {
        const { push, collected, devices, log } = fleet(3, { maxBytes: kib * KIB, keepUs: 1e12 });
        const count = 4_000;
        for (let n = 0; n < count; n++) push(n % 2, n, new Uint8Array(size).fill(n));
        push(2, count, Uint8Array.of(7));
        for (const device of [0, 1]) {
          const got = collected(device).map(({ us }) => us);
          expect(got.at(-1)).toBe(count - 2 + device);
          expect(got).toEqual(got.map((_, at) => count - 2 + device - 2 * (got.length - 1 - at)));
          // A ring gives up a whole segment at a time.
          const room = Math.min((count / 2) * (size + 8), kib * KIB - 4 * 8 * KIB);
          expect(got.length * (size + 8)).toBeGreaterThanOrEqual(room - size - 8);
          expect(devices[device]?.ring.held).toBeLessThanOrEqual(kib * KIB);
        }
        expect(collected(2)).toHaveLength(1);
        expect(log.held).toBeLessThanOrEqual(4 * kib * KIB + 18 * BLOCK_BYTES);
      }),
      { numRuns: 20 },
    );
  });

  it('keeps the last words of a device that is silent while others talk on, within all memory', () => {
    const limits = { maxBytes: 256 * KIB, keepUs: 150e6 };
    const { push, collected, log, memory } = fleet(12, limits, 1_024 * KIB, 256 * KIB);
    for (let n = 0; n < 20; n++) push(0, n * 1e6, Uint8Array.of(n));
    for (let n = 0; n < 200_000; n++) {
      push(1 + (n % 10), 20e6 + n * 10_000, new Uint8Array(20));
      if (n % 1_000 === 0) push(11, 20e6 + n * 10_000, Uint8Array.of(n / 1_000));
      if (n % 500 !== 0) continue;
      expect(log.held).toBeLessThanOrEqual(1_024 * KIB);
      expect(memory.taken).toBeLessThanOrEqual(256 * KIB);
    }
    expect(collected(0).map(({ bytes }) => bytes[0])).toEqual(Array.from({ length: 20 }, (_, n) => n));
    // Of one that says little, all that is recent, though those that say much have lost most of theirs.
    const quiet = collected(11).map(({ bytes }) => bytes[0]);
    expect(quiet.slice(-15)).toEqual(Array.from({ length: 15 }, (_, n) => 185 + n));
  });

  it('lets go of what is older than is kept', () => {
    const { push, log, memory } = fleet(2, { maxBytes: 256 * KIB, keepUs: 1e6 });
    for (let n = 0; n < 100_000; n++) push(n % 2, n * 100, new Uint8Array(20));
    expect(log.held).toBeLessThanOrEqual(8 * BLOCK_BYTES);
    expect(memory.taken).toBe(0);
  });

  it('takes little for one device that says much', () => {
    const { push, log, memory } = fleet(1, { maxBytes: 256 * KIB, keepUs: 1e12 });
    for (let n = 0; n < 1_000_000; n++) push(0, n, new Uint8Array(12));
    expect(memory.taken).toBe(0);
    expect(log.held).toBeLessThanOrEqual(2 * 256 * KIB + 17 * BLOCK_BYTES);
  });

  it('holds to other limits from when they are set', () => {
    const limits = { maxBytes: 256 * KIB, keepUs: 1e12 };
    const { push, log, collected } = fleet(4, limits, 2_048 * KIB, 64 * KIB);
    for (let n = 0; n < 40_000; n++) push(n % 4, n, new Uint8Array(20));
    log.resize(256 * KIB);
    expect(log.held).toBeLessThanOrEqual(256 * KIB);
    limits.maxBytes = 32 * KIB;
    expect(collected(3).length).toBeLessThanOrEqual((32 * KIB) / 26);
    expect(collected(3).at(-1)?.us).toBe(39_999);
  });

  it('overwrites what is erased, and gives back its memory with the last of it', () => {
    const { push, log, devices, collected } = fleet(2);
    push(0, 1, new Uint8Array(50).fill(0xaa));
    push(1, 2, new Uint8Array(50).fill(0xbb));
    log.erase(devices[0]?.index ?? 0);
    expect(collected(0)).toEqual([]);
    expect(log.held).toBe(BLOCK_BYTES);
    log.erase(devices[1]?.index ?? 0);
    expect(log.held).toBe(0);
    push(0, 3, Uint8Array.of(1));
    expect(collected(0).map(({ bytes, us }) => [us, bytes])).toEqual([[3, [1]]]);
  });

  it('gives nothing to a ring that took the number of another one', () => {
    const { push, log, devices, collected } = fleet(2);
    const [gone] = devices;
    push(0, 1, Uint8Array.of(1));
    push(1, 1, Uint8Array.of(9));
    log.leave(gone?.index ?? 0);
    const next = new ByteRing(new RingMemory(1 << 20), LIMITS);
    expect(log.join(next)).toBe(gone?.index);
    push(0, 2, Uint8Array.of(2));
    collected(0);
    expect([shown(next), collected(1)].map((each) => each.map(({ bytes }) => bytes))).toEqual([[[2]], [[9]]]);
  });

  it('keeps the times of what was held until its device was known', () => {
    const { push, collected } = fleet(2);
    push(0, 50e6, Uint8Array.of(1));
    push(1, 41e6, Uint8Array.of(2));
    push(1, 42e6, Uint8Array.of(3));
    push(0, 50e6 + 2 ** 33, Uint8Array.of(4));
    expect(collected(1).map(({ us }) => us)).toEqual([41e6, 42e6]);
    expect(collected(0).map(({ us }) => us)).toEqual([50e6, 50e6 + 2 ** 33]);
  });
});
