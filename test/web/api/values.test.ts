import { describe, expect, it } from 'vitest';
import { flatten, scaledText, valueAt, valueText } from '../../../web/src/api/values.ts';
import { csvRow, fileName } from '../../../web/src/parts/csv.ts';

describe('a value for people', () => {
  it.each([
    [23, 1, '23.0'],
    [23.14, 2, '23.14'],
    [-0.5, 0, '-0.5'],
    [1e-7, 2, '1e-7'],
    [0.1 + 0.2, undefined, '0.3'],
    [56_289_579 / 1_800_000, 7, '31.2719883'],
    [-1 / 1_800_000, 7, '-5.55555555555556e-7'],
    [Math.fround(1.1), 2, '1.10'],
    [1.2345, 2, '1.2345'],
    [1.5e-300, undefined, '1.5e-300'],
    [9007199254740991, 0, '9007199254740991'],
    ['18446744073709551615', 3, '18446744073709551615'],
    [[1, 2.5], 1, '[1.0, 2.5]'],
    [true, 1, 'true'],
    [{ $bytes: 'AAA=', len: 2 }, undefined, '2 bytes'],
  ] as const)('%o with %s decimals is %s', (value, decimals, text) => {
    expect(scaledText(value, decimals)).toBe(text);
  });

  it('is found by its path, also where names hold dots', () => {
    const document = { a: { 'b.c': { d: 1 }, b: { e: 2 } }, 'x.y': 3 };
    for (const [path, value] of flatten(document))
      expect([path, valueAt(document, path)]).toEqual([path, value]);
    expect(valueAt(document, 'a.b.z')).toBeUndefined();
    expect(valueAt(document, 'constructor')).toBeUndefined();
    expect(valueText(undefined)).toBe('');
  });
});

describe('a row of CSV', () => {
  it('quotes what needs it, and makes no formula of a text', () => {
    expect(csvRow(['a', 'b,c', 'say "so"', 1.5, -2, true, undefined, '=1+1', '-x'])).toBe(
      `a,"b,c","say ""so""",1.5,-2,true,,'=1+1,'-x`,
    );
    expect(fileName('rack 7/ü', 0, 'csv')).toBe('rack_7_-1970-01-01T000000Z.csv');
  });
});
