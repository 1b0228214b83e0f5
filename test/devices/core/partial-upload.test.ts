import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  choosePartials,
  type FoundPartial,
  RECORD_LENGTH,
  readRecord,
  recordText,
  type UploadRecord,
} from '../../../src/devices/core/partial-upload.ts';

const RECORD: UploadRecord = {
  total: 300,
  next: 150,
  bytes: 150_000,
  crc32: 0xdeadbeef,
  lastSum: 7,
  whole: {},
};

describe('the record of a partial upload', () => {
  const count = fc.nat(Number.MAX_SAFE_INTEGER);
  const record = fc
    .record({
      total: fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER }),
      bytes: count,
      crc32: count,
      lastSum: count,
    })
    .chain((each) =>
      fc.record({ next: fc.integer({ min: 1, max: each.total - 1 }) }).map((next) => ({ ...each, ...next })),
    )
    .chain((each) =>
      fc.record({ size: count, crc32: count }, { requiredKeys: [] }).map((whole) => ({ ...each, whole })),
    );

  it('is one line of one length, and reads as it was written', () => {
    fc.assert(
      fc.property(record, (each) => {
        const text = recordText(each);
        expect(text).toMatch(/^[^\n]*\n$/);
        expect(Buffer.byteLength(text)).toBe(RECORD_LENGTH);
        expect(readRecord(text)).toEqual(each);
      }),
    );
  });

  it('is none where any of it is another one: cut, changed, or written by half over the one before', () => {
    const text = recordText(RECORD);
    const before = recordText({ ...RECORD, next: 149, bytes: 149_000, crc32: 1 });
    for (let at = 0; at < text.length; at++) {
      expect(readRecord(text.slice(0, at))).toBeUndefined();
      expect(readRecord(`${text.slice(0, at)}~${text.slice(at + 1)}`)).toBeUndefined();
      const torn = text.slice(0, at) + before.slice(at);
      if (torn !== text && torn !== before) expect(readRecord(torn)).toBeUndefined();
    }
    expect(readRecord(`${text}\n`)).toBeUndefined();
  });

  it.each<[string, Partial<UploadRecord>]>([
    ['no chunk is there', { next: 0 }],
    ['all are', { next: 300 }],
    ['there are more than all', { next: 301 }],
    ['there is a half chunk', { next: 1.5 }],
    ['there are fewer bytes than none', { bytes: -1 }],
    ['there are too many to be counted', { total: 2 ** 60 }],
    ['the file has fewer bytes than none', { whole: { size: -1 } }],
  ])('is none where it says that %s', (_, changes) => {
    expect(readRecord(recordText({ ...RECORD, ...changes }))).toBeUndefined();
  });
});

describe('which partials are gone on from', () => {
  const limits = {
    maxFileBytes: 200_000,
    budgetBytes: 500_000,
    diskBytes: (bytes: number) => bytes,
    maxAgeMs: 1_000,
    maxPartials: 4,
    maxPerDevice: 2,
  };
  let last = 0;
  const found = (changes: Partial<FoundPartial> = {}): FoundPartial => {
    last += 1;
    return { device: `d${last}`, transfer: last, record: RECORD, fileBytes: 150_000, ageMs: 10, ...changes };
  };
  const small = { record: { ...RECORD, bytes: 10 } };

  it.each<[string, FoundPartial[], number[]]>([
    ['those that are all there', [found(), found({ fileBytes: 150_001 })], [0, 1]],
    ['none of which bytes are missing', [found({ fileBytes: 149_999 })], []],
    ['none that is old', [found({ ageMs: 1_001 }), found({ ageMs: 1_000 })], [1]],
    ['none that is too large', [found({ record: { ...RECORD, bytes: 200_001 }, fileBytes: 200_001 })], []],
    [
      'none that has more bytes than its file',
      [found({ record: { ...RECORD, whole: { size: 149_999 } } })],
      [],
    ],
    [
      'the youngest within the budget',
      [found({ ageMs: 4 }), found({ ageMs: 3 }), found({ ageMs: 1 }), found({ ageMs: 2 })],
      [2, 3, 1],
    ],
    [
      'a small one behind one that is too much',
      [found(), found(), found(), found(), found({ ...small, ageMs: 11 })],
      [0, 1, 2, 4],
    ],
    ['a few of each device', [1, 2, 3].map((transfer) => found({ ...small, device: 'p', transfer })), [0, 1]],
    ['one of each transfer', [9, 8].map((ageMs) => found({ device: 'p', transfer: 7, ageMs })), [1]],
    ['so many in all', Array.from({ length: 9 }, () => found(small)), [0, 1, 2, 3]],
  ])('%s', (_, found, expected) => {
    expect(choosePartials(found, limits).map((each) => found.indexOf(each))).toEqual(expected);
  });
});
