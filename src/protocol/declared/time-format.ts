import { atOffset, type ClockTime, exists, offsetText, parseOffset, weekdayOf } from './clock-time.ts';

/** Text of a time by a format of `YYYY`, `MM`, `hh` and their kin, both ways. */
export interface TimeFormat {
  readonly parts: readonly Part[];
  /** Undefined where the text is no such time. */
  parse(text: string): ClockTime | undefined;
  /** Undefined where the time lacks a part of the format. */
  format(time: ClockTime): string | undefined;
}

type Token = 'YYYY' | 'YY' | 'MMM' | 'MM' | 'DD' | 'hh' | 'mm' | 'ss' | 'f' | 'F' | 'Z' | 'W' | 'E' | 'x';

interface Part {
  readonly token: Token | 'literal';
  /** The literal itself, or as many letters as the text has. */
  readonly text: string;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Two digits of a year from here on are of the last century, in which GPS and PCs began. */
const FIRST_SHORT_YEAR = 80;

/** The parts of a format; undefined where it has letters without a meaning, or says nothing. */
export function parseTimeFormat(format: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  for (const [text, quoted] of format.matchAll(
    /'([^']*)'|YYYY|YY|MMM|MM|DD|hh|mm|ss|f+|F|Z|W|E+|x+|T|[^A-Za-z]|./g,
  )) {
    if (quoted !== undefined) parts.push({ token: 'literal', text: quoted });
    else if (/^(?:YYYY|YY|MMM|MM|DD|hh|mm|ss|F|Z|W)$/.test(text)) parts.push({ token: text as Token, text });
    else if (/^[fEx]/.test(text)) parts.push({ token: text.charAt(0) as Token, text });
    else if (text === 'T' || !/[A-Za-z]/.test(text)) parts.push({ token: 'literal', text });
    else return undefined;
  }
  const said = parts.some(({ token }) => token !== 'literal' && token !== 'x');
  const once = new Set(parts.map(({ token }) => token));
  const repeated = parts.filter(({ token }) => token !== 'literal' && token !== 'x').length;
  once.delete('literal');
  once.delete('x');
  return said && once.size === repeated ? parts : undefined;
}

/** `zone` is the offset of the device's clock where the text does not say it, in minutes. */
export function timeFormat(parts: readonly Part[], zone: number | undefined): TimeFormat {
  const pattern = new RegExp(`^${parts.map(patternOf).join('')}$`, 'i');
  const tokens = parts.filter(({ token }) => token !== 'literal').map(({ token }) => token);
  return {
    parts,
    parse(text) {
      const found = pattern.exec(text);
      if (found === null) return undefined;
      const said = new Map(tokens.map((token, index) => [token, found[index + 1] ?? '']));
      const time = clockOf(said, zone);
      return time !== undefined && exists(time) ? time : undefined;
    },
    format(given) {
      const summer = tokens.includes('W') && given.offset !== undefined && given.offset !== (zone ?? 0);
      const time = tokens.includes('Z') ? given : atOffset(given, summer ? (zone ?? 0) + 60 : zone);
      let text = '';
      for (const part of parts) {
        const written = writtenPart(part, time, summer);
        if (written === undefined) return undefined;
        text += written;
      }
      return text;
    },
  };
}

function patternOf({ token, text }: Part): string {
  switch (token) {
    case 'literal':
      return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    case 'MMM':
      return `(${MONTHS.join('|')})`;
    case 'Z':
      return '(Z|[+-]\\d{2}:?\\d{2})';
    case 'F':
      return '(?:\\.(\\d{1,9}))?';
    case 'W':
      return '([SW])';
    case 'x':
      return `([\\s\\S]{${text.length}})`;
    case 'YYYY':
    case 'YY':
    case 'MM':
    case 'DD':
    case 'hh':
    case 'mm':
    case 'ss':
    case 'f':
    case 'E':
      return `(\\d{${text.length}})`;
  }
}

function clockOf(said: ReadonlyMap<string, string>, zone: number | undefined): ClockTime | undefined {
  const number = (token: Token): number | undefined => {
    const text = said.get(token);
    return text === undefined ? undefined : Number(text);
  };
  const short = number('YY');
  const year = short === undefined ? number('YYYY') : short + (short >= FIRST_SHORT_YEAR ? 1_900 : 2_000);
  const named = said.get('MMM');
  const month =
    named === undefined
      ? number('MM')
      : 1 + MONTHS.findIndex((each) => each.toLowerCase() === named.toLowerCase());
  const [day, hour, minute, second] = [number('DD'), number('hh'), number('mm'), number('ss')];
  const own = said.get('Z');
  const season = said.get('W');
  const offset =
    own !== undefined
      ? parseOffset(own)
      : season === undefined
        ? zone
        : (zone ?? 0) + (season.toUpperCase() === 'S' ? 60 : 0);
  return {
    ...(year === undefined ? {} : { year }),
    ...(month === undefined ? {} : { month }),
    ...(day === undefined ? {} : { day }),
    ...(hour === undefined ? {} : { hour }),
    ...(minute === undefined ? {} : { minute }),
    ...(second === undefined ? {} : { second }),
    fraction: said.get('f') ?? said.get('F') ?? '',
    offset,
  };
}

function writtenPart({ token, text }: Part, time: ClockTime, summer: boolean): string | undefined {
  const digits = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : String(value).padStart(text.length, '0');
  const { year, month, day, hour, minute, second, fraction = '', offset } = time;
  switch (token) {
    case 'literal':
      return text;
    case 'YYYY':
      return digits(year);
    case 'YY': {
      if (year === undefined || year < 1_900 + FIRST_SHORT_YEAR || year >= 2_000 + FIRST_SHORT_YEAR)
        return undefined;
      return digits(year % 100);
    }
    case 'MMM':
      return month === undefined ? undefined : MONTHS[month - 1];
    case 'MM':
      return digits(month);
    case 'DD':
      return digits(day);
    case 'hh':
      return digits(hour);
    case 'mm':
      return digits(minute);
    case 'ss':
      return digits(second);
    case 'f':
      return fraction.padEnd(text.length, '0').slice(0, text.length);
    case 'F':
      return fraction === '' ? '' : `.${fraction}`;
    case 'Z':
      return offset === undefined ? undefined : offsetText(offset);
    case 'W':
      return summer ? 'S' : 'W';
    case 'E':
      return year === undefined ? undefined : digits(weekdayOf(time));
    case 'x':
      return '0'.repeat(text.length);
  }
}
