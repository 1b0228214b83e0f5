import { type ClockTime, clockAt, parseIso, wallMs } from './clock-time.ts';

/** Where a count of time begins, in milliseconds from 1970-01-01 00:00 on. */
export interface Epoch {
  readonly ms: number;
  /** Counts the leap seconds that UTC leaves out, as the clocks of GPS satellites do. */
  readonly leaps: boolean;
}

const NAMED: Readonly<Record<string, Epoch>> = {
  unix: { ms: 0, leaps: false },
  gps: { ms: Date.UTC(1980, 0, 6), leaps: true },
  ntp: { ms: Date.UTC(1900, 0, 1), leaps: false },
};

export const EPOCH_NAMES = Object.keys(NAMED);

/** `unix`, `gps`, `ntp`, a year, or a date such as 2000-01-01; undefined for all else. */
export function parseEpoch(epoch: number | string): Epoch | undefined {
  if (typeof epoch === 'string' && Object.hasOwn(NAMED, epoch)) return NAMED[epoch];
  if (/^\d{4}$/.test(String(epoch)))
    return Number(epoch) === 0 ? undefined : { ms: wallMs({ year: Number(epoch) }), leaps: false };
  const time = parseIso(String(epoch));
  return time?.year === undefined || time.offset !== undefined
    ? undefined
    : { ms: wallMs(time), leaps: false };
}

/** Days behind which UTC got a leap second since 1980. A new one is announced half a year before. */
const LEAP_DAYS = [
  '1981-06-30',
  '1982-06-30',
  '1983-06-30',
  '1985-06-30',
  '1987-12-31',
  '1989-12-31',
  '1990-12-31',
  '1992-06-30',
  '1993-06-30',
  '1994-06-30',
  '1995-12-31',
  '1997-06-30',
  '1998-12-31',
  '2005-12-31',
  '2008-12-31',
  '2012-06-30',
  '2015-06-30',
  '2016-12-31',
].map((day) => wallMs(parseIso(day) ?? {}) + 86_400_000);

/** From seconds that count leap seconds to those that do not; a leap second itself is the one before it. */
function withoutLeaps(ms: number): number {
  let left = ms;
  for (const leap of LEAP_DAYS)
    if (left >= leap + 1_000) left -= 1_000;
    else if (left >= leap) return leap - 1_000;
  return left;
}

const withLeaps = (ms: number): number => ms + 1_000 * LEAP_DAYS.filter((leap) => ms >= leap).length;

/** Units of a count: how many make a second, or how many seconds make one. */
const UNITS = {
  s: [1n, 1n],
  ms: [1_000n, 1n],
  us: [1_000_000n, 1n],
  ns: [1_000_000_000n, 1n],
  min: [1n, 60n],
  h: [1n, 3_600n],
  d: [1n, 86_400n],
} as const;

export type TimeUnit = keyof typeof UNITS;

/** The clock at a count; undefined where no text of four digits for the year can say it. */
export function clockOfCount(count: bigint, epoch: Epoch, unit: TimeUnit): ClockTime | undefined {
  const [perSecond, seconds] = UNITS[unit];
  const total = count * seconds;
  const part = ((total % perSecond) + perSecond) % perSecond;
  const ms = Number((total - part) / perSecond) * 1_000 + epoch.ms;
  const clock = clockAt(epoch.leaps ? withoutLeaps(ms) : ms);
  if (clock === undefined) return undefined;
  const digits = perSecond.toString().length - 1;
  return { ...clock, fraction: digits === 0 ? '' : part.toString().padStart(digits, '0') };
}

/** The count at which a clock shows a time; what is finer than the unit is rounded down. */
export function countOfClock(clock: ClockTime, epoch: Epoch, unit: TimeUnit): bigint {
  const [perSecond, seconds] = UNITS[unit];
  const wall = wallMs(clock);
  const whole = BigInt((epoch.leaps ? withLeaps(wall) : wall) - epoch.ms) / 1_000n;
  const digits = perSecond.toString().length - 1;
  const part = BigInt((clock.fraction ?? '').padEnd(digits, '0').slice(0, digits) || '0');
  const total = whole * perSecond + part;
  const rest = ((total % seconds) + seconds) % seconds;
  return (total - rest) / seconds;
}
