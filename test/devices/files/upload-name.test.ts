import { describe, expect, it } from 'vitest';
import { readUploadName, uploadName } from '../../../src/devices/files/upload-part.ts';

const AT = Date.UTC(2026, 10, 21, 0, 7, 36, 25);

describe('the name of a file in the uploads', () => {
  it.each([
    ['cam-1', 0, 1, 'cam-1.20261121T000736025Z-0.bin'],
    ['cam-1', 65_535, 2, 'cam-1.20261121T000736025Z-65535-2.bin'],
    ['a.b_c', -5, 1, 'a.b_c.20261121T000736025Z--5.bin'],
    ['a', -5, 12, 'a.20261121T000736025Z--5-12.bin'],
    ['a', Number.MAX_SAFE_INTEGER, 1, 'a.20261121T000736025Z-9007199254740991.bin'],
  ])('of device %s, transfer %d, attempt %d is %s, and is read back', (device, transfer, attempt, name) => {
    expect(uploadName({ device, transfer }, AT, attempt)).toBe(name);
    expect(readUploadName(name)).toEqual({ device, transfer });
  });

  it.each([
    'notes.txt',
    '.bin',
    'a.20261121T000736025Z-.bin',
    'a/b.20261121T000736025Z-1.bin',
    'a.20261121T000736025Z-1.bin.part',
  ])('%s is none of ours', (name) => {
    expect(readUploadName(name)).toBeUndefined();
  });
});
