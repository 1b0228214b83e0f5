import { HeartwireError } from '../errors.ts';

const TEXT = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/;
const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

interface Zone {
  /** `YYYY-MM-DD HH:MM:SS` of a whole second. */
  format(secondMs: number): string;
  /** The second formatted last; a bridge formats the same one for every device that asks. */
  lastMs: number;
  lastText: string;
}

const zones = new Map<string | undefined, Zone>();

/** `YYYY-MM-DD HH:MM:SS` in an IANA time zone, or in the machine's own where none is given; an unknown zone throws `bad_argument`. */
export function formatLocalTime(wallMs: number, timeZone?: string): string {
  const zone = zoneOf(timeZone);
  const secondMs = Math.floor(wallMs / SECOND_MS) * SECOND_MS;
  if (zone.lastMs !== secondMs) {
    zone.lastText = zone.format(secondMs);
    zone.lastMs = secondMs;
  }
  return zone.lastText;
}

/**
 * The Unix epoch ms of `YYYY-MM-DD HH:MM:SS` in a time zone; `undefined` where the text is no such time. Of the
 * two meanings in an hour that is lived twice, the one nearer to `nearWallMs` (the earlier where that is absent); a
 * time in a skipped hour is read as if the clock had not been put forward.
 */
export function parseLocalTime(text: string, timeZone?: string, nearWallMs?: number): number | undefined {
  const zone = zoneOf(timeZone);
  const asUtcMs = epochMs(text);
  if (asUtcMs === undefined) return undefined;
  // No zone changes twice within two days: its offset a day before and a day after are all that can apply.
  const before = asUtcMs - offsetMs(zone, asUtcMs - DAY_MS);
  const after = asUtcMs - offsetMs(zone, asUtcMs + DAY_MS);
  const tellsText = (wallMs: number) => zone.format(wallMs) === text;
  const meanings = [...new Set([before, after])].filter(tellsText).sort((a, b) => a - b);
  const near = nearWallMs ?? Number.NEGATIVE_INFINITY;
  const [first, second] = meanings;
  if (first === undefined) return before;
  return second !== undefined && near - first > second - near ? second : first;
}

/** The text read as UTC; `undefined` where there is no such day or time. */
function epochMs(text: string): number | undefined {
  if (!TEXT.test(text)) return undefined;
  const iso = `${text.replace(' ', 'T')}.000Z`;
  const ms = Date.parse(iso);
  // The parser takes 30 February and 24:00 for the day after.
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? undefined : ms;
}

function offsetMs(zone: Zone, secondMs: number): number {
  return (epochMs(zone.format(secondMs)) ?? secondMs) - secondMs;
}

function zoneOf(timeZone: string | undefined): Zone {
  let zone = zones.get(timeZone);
  if (zone === undefined) {
    const format = timeZone === undefined ? formatOwn : formatterFor(timeZone);
    zone = { format, lastMs: Number.NaN, lastText: '' };
    zones.set(timeZone, zone);
  }
  return zone;
}

/** The machine's zone through `Date`, which notices when the zone is changed. */
function formatOwn(secondMs: number): string {
  const at = new Date(secondMs);
  const date = [at.getMonth() + 1, at.getDate()].map(twoDigits).join('-');
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':');
  return `${String(at.getFullYear()).padStart(4, '0')}-${date} ${time}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

function formatterFor(timeZone: string): (secondMs: number) => string {
  const formatter = intlFormatter(timeZone);
  return (secondMs) => {
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
    for (const { type, value } of formatter.formatToParts(secondMs)) part[type] = value;
    const year = (part.year ?? '').padStart(4, '0');
    return `${year}-${part.month}-${part.day} ${part.hour}:${part.minute}:${part.second}`;
  };
}

function intlFormatter(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      // `hour12: false` would print midnight as 24:00 in some locales.
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  } catch (cause) {
    throw new HeartwireError('bad_argument', `"${timeZone}" is not a time zone of this machine's database.`, {
      seen: timeZone,
      fix: 'Use an IANA name such as Europe/Berlin or Asia/Shanghai.',
      cause,
    });
  }
}
