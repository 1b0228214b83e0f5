/** A date, a time of day, or both, as a clock shows them; offsets are minutes ahead of UTC. */
export interface ClockTime {
  readonly year?: number;
  readonly month?: number;
  readonly day?: number;
  readonly hour?: number;
  readonly minute?: number;
  readonly second?: number;
  /** Digits behind the second. */
  readonly fraction?: string;
  readonly offset?: number | undefined;
}

const MINUTE_MS = 60_000;
/** Years that text of four digits can carry. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = Date.UTC(9_999, 11, 31, 23, 59, 59);

const two = (value: number): string => String(value).padStart(2, '0');

/** As ISO 8601: the parts that are there, and the offset where it is known. */
export function isoText(time: ClockTime): string {
  const { year, month = 1, day = 1, hour, minute = 0, second = 0, fraction = '', offset } = time;
  const date = year === undefined ? '' : `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
  if (hour === undefined) return date;
  const clock = `${two(hour)}:${two(minute)}:${two(second)}${fraction === '' ? '' : `.${fraction}`}`;
  return `${date}${date === '' ? '' : 'T'}${clock}${offset === undefined ? '' : offsetText(offset)}`;
}

export function offsetText(offset: number): string {
  if (offset === 0) return 'Z';
  const size = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Minutes ahead of UTC of `Z`, `UTC`, `+08:00`, `+0800` or `+8`; undefined for all else. */
export function parseOffset(text: string): number | undefined {
  if (/^(?:z|utc)$/i.test(text)) return 0;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{1,2}):?(\d{2})?$/.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 14 || Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** The parts of text in ISO 8601; undefined where it is none, or does not exist. */
export function parseIso(text: string): ClockTime | undefined {
  const parts =
    /^(?:(\d{4})-(\d{2})-(\d{2}))?(?:(?:^|[T ])(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/i.exec(
      text.trim(),
    );
  if (parts === null || text.trim() === '') return undefined;
  const [, year, month, day, hour, minute, second, fraction, offset] = parts;
  const date = year === undefined ? {} : { year: Number(year), month: Number(month), day: Number(day) };
  const clock =
    hour === undefined
      ? {}
      : { hour: Number(hour), minute: Number(minute), second: Number(second ?? 0), fraction: fraction ?? '' };
  const time: ClockTime = {
    ...date,
    ...clock,
    offset: offset === undefined ? undefined : parseOffset(offset),
  };
  return exists(time) ? time : undefined;
}

/** Whether such a date and such a time of day exist; 23:59:60 may, as a leap second. */
export function exists({ year, month, day, hour, minute = 0, second = 0 }: ClockTime): boolean {
  if (hour !== undefined && (hour > 23 || minute > 59 || second > 60)) return false;
  if (second === 60 && minute !== 59) return false;
  if (month !== undefined && (month < 1 || month > 12)) return false;
  if (day === undefined) return true;
  return day >= 1 && day <= daysOf(month ?? 1, year ?? 2_000);
}

function daysOf(month: number, year: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

/** The same moment on a clock that is `offset` minutes ahead of UTC, where the time says its own offset. */
export function atOffset(time: ClockTime, offset: number | undefined): ClockTime {
  if (offset === undefined || time.offset === undefined || time.offset === offset) return { ...time, offset };
  if (time.hour === undefined) return { ...time, offset };
  const moved = clockOf(wallMs(time) + (offset - time.offset) * MINUTE_MS);
  const clock = { ...moved, fraction: time.fraction ?? '', offset };
  if (time.year !== undefined) return clock;
  const { hour = 0, minute = 0, second = 0 } = clock;
  return { hour, minute, second, fraction: clock.fraction, offset };
}

/** Milliseconds from 1970-01-01 00:00 on the same clock, without the fraction of the second. */
export function wallMs({
  year = 1970,
  month = 1,
  day = 1,
  hour = 0,
  minute = 0,
  second = 0,
}: ClockTime): number {
  const date = new Date(Date.UTC(2_000, month - 1, day, hour, minute, second));
  // Not by `Date.UTC`, to which the years 0 to 99 are those of the twentieth century.
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

/** The clock that shows so many milliseconds from 1970-01-01 00:00 on; undefined beyond the year 9999. */
export function clockAt(ms: number): ClockTime | undefined {
  return ms >= FIRST_MS && ms <= LAST_MS ? clockOf(ms) : undefined;
}

function clockOf(ms: number): ClockTime {
  const date = new Date(ms);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

/** 0 is Sunday. */
export const weekdayOf = (time: ClockTime): number => new Date(wallMs(time)).getUTCDay();
