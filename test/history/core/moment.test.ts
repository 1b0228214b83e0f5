import { describe, expect, it } from 'vitest';
import { parseMoment } from '../../../src/history/core/moment.ts';

const NOW = Date.UTC(2026, 10, 30, 12);

describe('a moment', () => {
  it.each([
    ['-1h', NOW - 3_600_000],
    ['-90s', NOW - 90_000],
    ['-1.5h', NOW - 5_400_000],
    ['-250ms', NOW - 250],
    ['-7d', NOW - 7 * 86_400_000],
    ['-2w', NOW - 14 * 86_400_000],
    ['now', NOW],
    ['1796048674098', 1_796_048_674_098],
    ['0', 0],
    ['2026-11-30', Date.UTC(2026, 10, 30)],
    ['2026-11-30T08:00', Date.UTC(2026, 10, 30, 8)],
    ['2026-11-30 08:00:01', Date.UTC(2026, 10, 30, 8, 0, 1)],
    ['2026-11-30T08:00:00.250Z', Date.UTC(2026, 10, 30, 8, 0, 0, 250)],
    ['2026-11-30T08:00:00+08:00', Date.UTC(2026, 10, 30, 0)],
    ['2026-11-30T08:00:00+0800', Date.UTC(2026, 10, 30, 0)],
  ])('may be written as %s', (text, expected) => {
    expect(parseMoment(text, NOW)).toBe(expected);
  });

  it.each([
    '',
    'yesterday',
    '-h',
    '1h',
    '-1y',
    '2026-13-45',
    '2026-11-30T25:00',
    '99999999999999999',
    '1e9',
    '-1h ',
    'NaN',
  ])('is not %j', (text) => {
    expect(parseMoment(text, NOW)).toBeUndefined();
  });
});
