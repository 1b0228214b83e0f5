import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HeartwireError } from '../../src/errors.ts';
import { formatLocalTime, parseLocalTime } from '../../src/system/local-time.ts';

const utc = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`);
const HOUR_MS = 3_600_000;

describe('a time told in a zone', () => {
  it.each([
    ['2026-11-20 16:07:36', 'Asia/Shanghai', '2026-11-21 00:07:36'],
    ['2026-11-20 15:59:59', 'Asia/Shanghai', '2026-11-20 23:59:59'],
    ['2026-11-20 16:00:00', 'Asia/Shanghai', '2026-11-21 00:00:00'],
    ['2026-01-01 00:00:00', 'UTC', '2026-01-01 00:00:00'],
    ['2024-02-29 23:59:59', 'UTC', '2024-02-29 23:59:59'],
    ['2026-03-29 00:59:59', 'Europe/Berlin', '2026-03-29 01:59:59'],
    ['2026-03-29 01:00:00', 'Europe/Berlin', '2026-03-29 03:00:00'],
    ['2026-10-25 01:00:00', 'Europe/Berlin', '2026-10-25 02:00:00'],
    ['2026-03-08 06:59:59', 'America/New_York', '2026-03-08 01:59:59'],
    ['2026-03-08 07:00:00', 'America/New_York', '2026-03-08 03:00:00'],
    ['2026-11-01 06:30:00', 'America/New_York', '2026-11-01 01:30:00'],
    ['2026-07-01 18:15:00', 'Asia/Kathmandu', '2026-07-02 00:00:00'],
    ['1969-12-31 23:59:59', 'UTC', '1969-12-31 23:59:59'],
  ])('%s UTC is in %s: %s', (instant, timeZone, local) => {
    expect(formatLocalTime(utc(instant), timeZone)).toBe(local);
    expect(parseLocalTime(local, timeZone, utc(instant))).toBe(utc(instant));
  });

  it('changes only with the second', () => {
    const second = utc('2026-11-20 16:07:36');
    expect(formatLocalTime(second + 999.9, 'Asia/Shanghai')).toBe('2026-11-21 00:07:36');
    expect(formatLocalTime(second, 'UTC')).toBe('2026-11-20 16:07:36');
    expect(formatLocalTime(second + 1_000, 'Asia/Shanghai')).toBe('2026-11-21 00:07:37');
    expect(formatLocalTime(second - 0.1, 'Asia/Shanghai')).toBe('2026-11-21 00:07:35');
  });

  it('comes back from its text, whatever the zone and the season', () => {
    const zones = [
      'Asia/Shanghai',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'UTC',
      undefined,
    ];
    const seconds = fc.integer({
      min: utc('1990-01-01 00:00:00') / 1_000,
      max: utc('2037-01-01 00:00:00') / 1_000,
    });
    fc.assert(
      fc.property(seconds, fc.constantFrom(...zones), (second, timeZone) => {
        const wallMs = second * 1_000;
        expect(parseLocalTime(formatLocalTime(wallMs, timeZone), timeZone, wallMs)).toBe(wallMs);
      }),
    );
  });
});

describe('an hour that is lived twice', () => {
  const first = utc('2026-10-25 00:30:00');
  const second = first + HOUR_MS;

  it.each([
    ['the first meaning', first + 60_000, first],
    ['the second meaning', second - 60_000, second],
    ['long before', first - 40 * HOUR_MS, first],
    ['long after', second + 40 * HOUR_MS, second],
    ['nothing', undefined, first],
  ])('is told by what is nearer: %s', (_, near, expected) => {
    expect(parseLocalTime('2026-10-25 02:30:00', 'Europe/Berlin', near)).toBe(expected);
  });
});

describe('an hour that is skipped', () => {
  it.each([
    ['2026-03-29 02:30:00', 'Europe/Berlin', '2026-03-29 01:30:00'],
    ['2026-03-08 02:00:00', 'America/New_York', '2026-03-08 07:00:00'],
    ['2011-12-30 12:00:00', 'Pacific/Apia', '2011-12-30 22:00:00'],
  ])('%s in %s is read with the offset before it', (text, timeZone, instant) => {
    expect(parseLocalTime(text, timeZone)).toBe(utc(instant));
  });
});

describe('text that is no time', () => {
  it.each([
    '',
    '2026-11-21',
    '2026-11-21T00:07:36',
    '2026-11-21 00:07:36Z',
    '2026-02-30 00:00:00',
    '2025-02-29 00:00:00',
    '2026-13-01 00:00:00',
    '0000-00-00 00:00:00',
    '2026-11-21 24:00:00',
    '2026-11-21 23:60:00',
    '2026-11-21 23:59:60',
    '２０２６-11-21 00:07:36',
  ])('%j', (text) => {
    expect(parseLocalTime(text, 'UTC')).toBeUndefined();
  });
});

describe('the zone', () => {
  let before: string | undefined;
  beforeEach(() => {
    before = process.env.TZ;
  });
  afterEach(() => {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  });

  it('is the machine’s own where none is given', () => {
    process.env.TZ = 'America/New_York';
    const wallMs = utc('2026-11-21 05:00:00');
    expect(formatLocalTime(wallMs)).toBe('2026-11-21 00:00:00');
    expect(parseLocalTime('2026-11-21 00:00:00')).toBe(wallMs);
  });

  it('must be one that is known', () => {
    expect(() => formatLocalTime(0, 'Mars/Olympus')).toThrow(HeartwireError);
    expect(() => parseLocalTime('2026-11-21 00:00:00', 'Mars/Olympus')).toThrow(/"Mars\/Olympus"/);
  });
});
