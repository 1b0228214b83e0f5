import type { FieldDeclaration } from './declaration.ts';
import type { Scope } from './field-codec.ts';
import { fixed } from './number-format.ts';
import type { Raw } from './raw-number.ts';

export interface NumberInText {
  readonly parse: (text: string) => Raw | undefined;
  readonly print: (raw: Raw) => string;
}

const DEGREES = /^(\d{1,3})([0-5]\d(?:\.\d{0,12})?)$/;
/** A tenth of a micrometre on the ground: eight decimals of a minute come back from it. */
const DECIMALS_OF_DEGREES = 10;
const DECIMALS_OF_MINUTES = 8;

/** Angles in degrees and minutes, and signs that a letter behind the number says, as NMEA 0183 writes places. */
export function placed(
  { angle, hemisphere, decimals }: FieldDeclaration,
  { joint = '' }: Scope,
  plainly: NumberInText['parse'],
  plain: NumberInText['print'],
): NumberInText {
  const parse = angle === undefined ? plainly : degreesOf;
  const print =
    angle === undefined ? plain : (raw: Raw) => minutesText(Number(raw), angle === 'ddmm' ? 2 : 3, decimals);
  if (hemisphere === undefined) return { parse, print };
  const [positive = '', negative = ''] = hemisphere;
  return {
    parse(text) {
      const sign = text.slice(-1).toUpperCase();
      if (sign !== positive && sign !== negative) return undefined;
      const front = text.slice(0, -1);
      if (!front.endsWith(joint)) return undefined;
      const raw = parse(front.slice(0, front.length - joint.length).trim());
      return raw === undefined || raw < 0 || Object.is(raw, -0)
        ? undefined
        : sign === positive || Number(raw) === 0
          ? raw
          : -raw;
    },
    print: (raw) => print(raw < 0 ? -raw : raw) + joint + (raw < 0 ? negative : positive),
  };
}

function degreesOf(text: string): number | undefined {
  const [, degrees, minutes] = DEGREES.exec(text) ?? [];
  if (degrees === undefined || minutes === undefined) return undefined;
  return Number((Number(degrees) + Number(minutes) / 60).toFixed(DECIMALS_OF_DEGREES));
}

function minutesText(value: number, width: number, decimals: number | undefined): string {
  const digits = decimals ?? DECIMALS_OF_MINUTES;
  const unit = 10 ** digits;
  // Whole parts of a minute: 59.99999 is not rounded up to a minute 60.
  const parts = Math.round(value * 60 * unit);
  const degrees = Math.floor(parts / (60 * unit));
  const minutes = fixed((parts - degrees * 60 * unit) / unit, digits).padStart(
    digits === 0 ? 2 : digits + 3,
    '0',
  );
  const shown = decimals === undefined ? minutes.replace(/\.?0+$/, '').padEnd(2, '0') : minutes;
  return String(degrees).padStart(width, '0') + shown;
}
