/** The time in front of a line of a log. */
export interface LineTime {
  /** Microseconds since the epoch; since midnight where the log gives no date. */
  readonly us: number;
  readonly dated: boolean;
  /** What stands behind it. */
  readonly rest: string;
}

/** `2026-01-01 12:00:00.123`, `2026/01/01T12:00:00Z`, `12:00:00,123`; in brackets or with a space behind it. */
const CLOCK =
  /^(?:(\d{4})[-/](\d\d)[-/](\d\d)[T ])?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?$/;
/** Seconds since some start, or since the epoch. */
const SECONDS = /^(\d{1,10})\.(\d{1,9})$/;
const BRACKETED = /^[[(]([^\])]{1,40})[\])]:?\s?(.*)$/s;
const DATE_AND_TIME = /^(\d{4}[-/]\d\d[-/]\d\d[T ]\S{1,24}|\S{1,24}):?\s(.*)$/s;

/** Reads the time in front of a line; undefined where it begins with something else. A time without a zone is UTC. */
export function lineTime(line: string): LineTime | undefined {
  const [, text = '', rest = ''] = BRACKETED.exec(line) ?? DATE_AND_TIME.exec(line) ?? [];
  const [, seconds, decimals = ''] = SECONDS.exec(text) ?? [];
  if (seconds !== undefined) return { us: microseconds(Number(seconds), decimals), dated: true, rest };
  const clock = CLOCK.exec(text);
  if (clock === null) return undefined;
  const [, year, month, day, hours, minutes, whole, fraction = '', sign, zoneHours, zoneMinutes] = clock;
  const dated = year !== undefined;
  const [h, m, s] = [Number(hours), Number(minutes), Number(whole)];
  if (h > 23 || m > 59 || s > 60) return undefined;
  const midnight = dated ? Date.UTC(Number(year), Number(month) - 1, Number(day)) / 1_000 : 0;
  const ahead = (sign === '-' ? -60 : 60) * (60 * Number(zoneHours ?? 0) + Number(zoneMinutes ?? 0));
  return { us: microseconds(midnight + 3_600 * h + 60 * m + s - ahead, fraction), dated, rest };
}

const microseconds = (seconds: number, decimals: string): number =>
  seconds * 1e6 + Number(decimals.slice(0, 6).padEnd(6, '0'));

const HALF_DAY_US = 12 * 3_600 * 1e6;

/** Times of one log, in the order of its lines: it may go over midnight, and its clock may step back. */
export class LineClock {
  #startMs: number | undefined;
  #days = 0;
  #lastUs = 0;
  /** Lines whose time lay before that of the line in front. */
  steppedBack = 0;

  /** What the wall clock showed at the first time. */
  get startMs(): number {
    return this.#startMs ?? 0;
  }

  /** Some line had a time. */
  get known(): boolean {
    return this.#startMs !== undefined;
  }

  /** The time of a line, in microseconds since the first; that of the line before where it has none. */
  at(time: LineTime | undefined): number {
    if (time === undefined) return this.#lastUs;
    this.#startMs ??= Math.floor(time.us / 1_000);
    let us = time.us + this.#days - this.#startMs * 1_000;
    if (!time.dated && us < this.#lastUs - HALF_DAY_US) {
      this.#days += 2 * HALF_DAY_US;
      us += 2 * HALF_DAY_US;
    }
    if (us < this.#lastUs) this.steppedBack += 1;
    this.#lastUs = Math.max(us, this.#lastUs);
    return this.#lastUs;
  }
}
