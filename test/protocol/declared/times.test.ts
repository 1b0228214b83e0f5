import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FieldDeclaration } from '../../../src/protocol/declared/declaration.ts';
import { complaints, decoded, encoded, protocolOf } from './declared-case.ts';

type Field = Omit<FieldDeclaration, 'name'>;

const of = (field: Field) => protocolOf([{ ...field, name: 'at' }]);
const hexOf = (text: string): string => Buffer.from(text, 'latin1').toString('hex');

describe('times come and go', () => {
  test.each<[string, Field, string, string]>([
    ['Unix seconds', { type: 'u32', time: { epoch: 'unix' } }, '65f5e100', '2024-03-16T18:12:16Z'],
    [
      'the same, of a clock in China',
      { type: 'u32', time: { zone: '+08:00' } },
      '65f5e100',
      '2024-03-16T18:12:16+08:00',
    ],
    ['milliseconds', { type: 'u64', time: { unit: 'ms' } }, '0000018e48b7b07b', '2024-03-16T19:23:01.627Z'],
    ['before 1970', { type: 'i64', time: { unit: 'us' } }, 'ffffffffffffffff', '1969-12-31T23:59:59.999999Z'],
    ['seconds from 2000 on', { type: 'u32le', time: { epoch: 2000 } }, '80510100', '2000-01-02T00:00:00Z'],
    [
      'days from 1904 on',
      { type: 'u16', time: { epoch: '1904-01-01', unit: 'd' } },
      '0001',
      '1904-01-02T00:00:00Z',
    ],
    [
      'of GPS, with 18 leap seconds',
      { type: 'u32', time: { epoch: 'gps' } },
      '52fab580',
      '2024-02-16T23:42:38Z',
    ],
    ['of GPS, before any', { type: 'u32', time: { epoch: 'gps' } }, '00000000', '1980-01-06T00:00:00Z'],
    [
      'decimals in nibbles',
      { type: 'bcd_time', zone: '+08:00' },
      '260131120000',
      '2026-01-31T12:00:00+08:00',
    ],
    [
      'with a weekday, reversed',
      { type: 'bcd_time', format: 'YYMMDDEE', byteOrder: 'little' },
      '06310126',
      '2026-01-31',
    ],
    [
      'of day alone, with a fraction as long as the device makes it',
      { type: 'time', length: 'rest', format: 'hhmmssF', zone: 'Z' },
      hexOf('132820.60'),
      '13:28:20.60Z',
    ],
    [
      'the same without one',
      { type: 'time', length: 'rest', format: 'hhmmssF', zone: 'Z' },
      hexOf('123519'),
      '12:35:19Z',
    ],
    ['of day alone', { type: 'bcd_time', format: 'hhmmss' }, '235960', '23:59:60'],
    ['a byte for each part', { type: 'byte_time', zone: 'Z' }, '1a011f0c0000', '2026-01-31T12:00:00Z'],
    [
      'with a year of two bytes',
      { type: 'byte_time', format: 'YYYYMMDDhhmm', byteOrder: 'little' },
      'ea07011f0c05',
      '2026-01-31T12:05:00',
    ],
    ['text', { type: 'time', length: 19 }, hexOf('2026-01-31 12:00:00'), '2026-01-31T12:00:00'],
    [
      'text of a log',
      { type: 'time', length: 'rest', format: 'DD MMM YYYY hh:mm' },
      hexOf('01 Feb 2026 07:30'),
      '2026-02-01T07:30:00',
    ],
    [
      'text with an offset',
      { type: 'time', length: 'rest', format: 'YYYYMMDDThhmmss.fffZ' },
      hexOf('20260131T120000.250+02:00'),
      '2026-01-31T12:00:00.250+02:00',
    ],
    [
      'in summer',
      { type: 'time', length: 13, format: 'YYMMDDhhmmssW', zone: '+01:00' },
      hexOf('260701120000S'),
      '2026-07-01T12:00:00+02:00',
    ],
    [
      'in winter',
      { type: 'time', length: 13, format: 'YYMMDDhhmmssW', zone: '+01:00' },
      hexOf('260131120000W'),
      '2026-01-31T12:00:00+01:00',
    ],
    ['of the last century', { type: 'time', length: 6, format: 'DDMMYY' }, hexOf('230394'), '1994-03-23'],
  ])('%s', (_, field, hex, iso) => {
    const found = decoded(of(field), hex);
    expect(found).toMatchObject({ fields: { at: iso }, issues: [], found: true });
    expect(encoded(of(field), { at: iso })).toBe(hex);
  });

  test.each<[string, Field, string, string]>([
    ['no month', { type: 'bcd_time' }, '261331120000', '0x261331120000 is no such time'],
    ['no day of February', { type: 'bcd_time' }, '260230120000', '0x260230120000 is no such time'],
    ['no digit', { type: 'bcd_time' }, '26013112000f', '0x26013112000f is no such time'],
    ['a byte beyond the digits', { type: 'byte_time' }, 'ff011f0c0000', '0xff011f0c0000 is no such time'],
    [
      'other text',
      { type: 'time', length: 19 },
      hexOf('yesterday at noon..'),
      '"yesterday at noon.." is no such time',
    ],
    [
      'beyond the calendar',
      { type: 'u64', time: {} },
      '7fffffffffffffff',
      '9223372036854775807 is no time that a calendar has',
    ],
  ])('%s is an issue, and the message counts', (_, field, hex, detail) => {
    expect(decoded(of(field), hex)).toMatchObject({ fields: {}, issues: [`at bad_time: ${detail}`] });
  });

  test('what says "no time" is absent, and is sent', () => {
    const zero: Field = { type: 'bcd_time', invalid: 0 };
    expect(decoded(of(zero), '000000000000')).toMatchObject({ fields: {}, issues: [] });
    expect(encoded(of(zero), {})).toBe('000000000000');
    const count: Field = { type: 'u32', time: {}, invalid: '0xffffffff' };
    expect(decoded(of(count), 'ffffffff')).toMatchObject({ fields: {}, issues: [] });
    expect(decoded(of({ type: 'time', length: 6, format: 'hhmmss' }), hexOf('      ')).issues).toEqual([]);
  });

  test('a time with another offset is the same moment', () => {
    const field: Field = { type: 'bcd_time', zone: '+08:00' };
    expect(encoded(of(field), { at: '2026-01-31T22:30:00Z' })).toBe('260201063000');
    expect(encoded(of({ type: 'u32', time: {} }), { at: '1970-01-01T01:00:00+01:00' })).toBe('00000000');
  });

  test.each<[Field, string]>([
    [{ type: 'bcd_time' }, '2026-01-31'],
    [{ type: 'bcd_time' }, '1970-01-01T00:00:00Z'],
    [{ type: 'bcd_time' }, 'now'],
    [{ type: 'u32', time: {} }, '12:00:00'],
    [{ type: 'u32', time: {} }, '1969-12-31T23:59:59Z'],
    [{ type: 'u32', time: {} }, '2200-01-01T00:00:00Z'],
  ])('%j does not carry %s', (field, at) => {
    expect(() => encoded(of(field), { at })).toThrow(/must be a time|beyond what/);
  });

  test('law: any second from 1980 to 2079 comes back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 315_532_800, max: 3_471_292_799 }),
        fc.constantFrom<Field>(
          { type: 'u32', time: { epoch: 'gps' } },
          { type: 'u40', time: { zone: '-03:30' } },
          { type: 'bcd_time', zone: 'Z' },
          { type: 'byte_time', zone: '+05:45', format: 'YYYYMMDDhhmmss' },
          { type: 'time', length: 'rest', format: "YYYY/MM/DD 'at' hh:mm:ss" },
        ),
        (seconds, field) => {
          const { epoch } = field.time ?? {};
          const at = new Date(1_000 * Math.max(seconds, epoch === 'gps' ? 315_964_800 : 0))
            .toISOString()
            .slice(0, 19);
          const hex = encoded(of(field), { at });
          expect(String(decoded(of(field), hex).fields.at).slice(0, 19)).toBe(at);
        },
      ),
    );
  });
});

test.each<[Field, string]>([
  [{ type: 'bcd_time', format: 'YYQQ' }, 'format: This is no format of a time.'],
  [
    { type: 'bcd_time', format: 'MMDD' },
    'format: A time has a year, a month and a day, or hours and minutes, or both.',
  ],
  [{ type: 'bcd_time', format: 'hh:mm' }, 'format: Nibbles and bytes have digits only.'],
  [{ type: 'bcd_time', zone: 'Europe/Berlin' }, 'zone: This is no offset from UTC.'],
  [{ type: 'u32', time: { epoch: 'moon' } }, 'time.epoch: This is no epoch.'],
  [{ type: 'u32', time: {}, unit: 's' }, 'unit: `unit` has no meaning beside `time`.'],
  [{ type: 'f64', time: {} }, 'time: Only whole numbers count time.'],
  [{ type: 'time', format: 'hh:mm' }, ': Nothing says where the field ends.'],
])('%j is refused', (field, complaint) => {
  expect(complaints({ ...field, name: 'at' })).toContain(complaint);
});
