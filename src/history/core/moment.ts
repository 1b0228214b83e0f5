const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
/** The range of `Date`. */
const LARGEST = 8.64e15;
const ISO = /^\d{4}-\d{2}(?:-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?)?$/;

/** How a moment may be written, for people. */
export const MOMENT_HINT = 'epoch milliseconds, ISO 8601 such as 2026-11-30T08:00:00Z, or -1h';

/**
 * A moment as epoch ms: as such, as ISO 8601 (UTC where it names no zone), or as so long before `now`: `-90s`, `-1h`,
 * `-7d`. Undefined where it is none of them.
 */
export function parseMoment(text: string, now: number): number | undefined {
  const ago = /^-(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/.exec(text);
  if (ago !== null) return bounded(Math.round(now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0)));
  if (text === 'now') return now;
  if (/^-?\d{1,16}(?:\.\d+)?$/.test(text)) return bounded(Math.round(Number(text)));
  if (!ISO.test(text)) return undefined;
  const zoned = /[T ].*(?:Z|[+-]\d{2}:?\d{2})$/.test(text) || text.length <= 10 ? text : `${text}Z`;
  return bounded(Date.parse(zoned.replace(' ', 'T')));
}

const bounded = (ms: number): number | undefined => (Math.abs(ms) <= LARGEST ? ms : undefined);
