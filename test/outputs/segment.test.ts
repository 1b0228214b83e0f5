import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRecord, type PointRecord, parseSegment } from '../../src/outputs/core/segment.ts';

const sum = (bytes: Uint8Array, before?: number): number => crc32(bytes, before);
const record = (lines: readonly string[]): PointRecord => ({
  points: lines.length,
  payload: lines.map((line) => `${line}\n`).join(''),
});
const bytesOf = (records: readonly PointRecord[]): Uint8Array =>
  Buffer.concat(records.map((each) => formatRecord(each, sum)));
const line = fc.stringMatching(/^[a-zé#][ -~é]{0,30}$/).map((text) => text.replace(/\n/g, ''));
const records = fc.array(fc.array(line, { minLength: 1, maxLength: 5 }).map(record), { maxLength: 6 });

describe('a segment of what waits on the disk', () => {
  it('is text that a person can read', () => {
    expect(Buffer.from(bytesOf([record(['t,device=a x=1 1', 't,device=a x=2 2'])])).toString()).toMatch(
      /^#points 2 34 [0-9a-f]{8}\nt,device=a x=1 1\nt,device=a x=2 2\n$/,
    );
  });

  it('gives back all that was written', () => {
    fc.assert(
      fc.property(records, (written) => {
        expect(parseSegment(bytesOf(written), sum)).toEqual({ records: written, lost: 0, damaged: false });
      }),
    );
  });

  it('cut at any byte gives back each whole record, and counts the points of the one that is not', () => {
    const written = [record(['a 1', 'b 2']), record(['c 3', 'd 4', 'e 5'])];
    const bytes = bytesOf(written);
    const first = bytesOf(written.slice(0, 1)).length;
    const header = bytes.indexOf(0x0a, first) + 1;
    for (let cut = 0; cut < bytes.length; cut++) {
      const found = parseSegment(bytes.subarray(0, cut), sum);
      expect(found.records).toEqual(cut >= first ? written.slice(0, 1) : []);
      expect(found.damaged).toBe(cut !== 0 && cut !== first);
      if (cut >= header) expect(found.lost).toBe(3);
    }
  });

  it('with any byte changed never gives back what was not written, and keeps the records around it', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, place, change) => {
        const bytes = bytesOf(written);
        if (bytes.length === 0) return;
        const at = place % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ change;
        const found = parseSegment(bytes, sum);
        expect(found.damaged).toBe(true);
        const texts = written.map(({ payload }) => payload);
        for (const { payload } of found.records) expect(texts).toContain(payload);
        // Two where it was the line end between them.
        expect(found.records.length).toBeGreaterThanOrEqual(written.length - 2);
      }),
    );
  });

  it('of nonsense is read in linear time', () => {
    const nonsense = Buffer.alloc(2_000_000, '#points 9 9 00000000\n');
    let summed = 0;
    const counting = (bytes: Uint8Array, before?: number): number => {
      summed += bytes.length;
      return sum(bytes, before);
    };
    expect(parseSegment(nonsense, counting).records).toEqual([]);
    expect(summed).toBeLessThan(2 * nonsense.length);
  });
});
