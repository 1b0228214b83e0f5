import { bcdSize } from './bcd.ts';
import { parseOffset } from './clock-time.ts';
import type { FieldDeclaration } from './declaration.ts';
import { EPOCH_NAMES, parseEpoch } from './epoch.ts';
import type { Findings, Path } from './finding.ts';
import { type Enums, lintEnumUse } from './lint-enums.ts';
import { lintLimits, lintRange } from './lint-limits.ts';
import { listOf } from './number-field.ts';
import { parseNumberFormat } from './number-format.ts';
import { parseWhole } from './number-type.ts';
import { parseTimeFormat } from './time-format.ts';

type Add = (key: string, message: string, fix: string) => void;

/** Signs that the types have beside none. */
const SIGNS: Readonly<Record<string, readonly string[]>> = {
  bcd: ['magnitude', 'first_nibble', 'last_nibble'],
  varint: ['zigzag'],
  hex_number: ['twos_complement'],
};

const MOST_BCD_BYTES = 10;
const EVERYTHING = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/** Checks numbers in text, decimals in nibbles, varints and clocks. */
export function lintCoded(field: FieldDeclaration, enums: Enums, path: Path, findings: Findings): void {
  const bad: Add = (key, message, fix) => findings.add('config_bad_value', [...path, key], message, fix);
  const { type, sign, limits, range, unit, enum: names } = field;
  if (type === 'time' || type === 'bcd_time' || type === 'byte_time') {
    lintClock(field, bad);
    lintInvalid(field, path, findings);
    return;
  }
  const signs = SIGNS[type] ?? [];
  if (sign !== undefined && signs.length > 0 && !signs.includes(sign))
    bad('sign', `A \`${type}\` has no such sign.`, `Write ${signs.join(' or ')}.`);
  if (typeof field.scale === 'number' && (field.scale === 0 || !Number.isFinite(field.scale)))
    bad('scale', 'A scale is a number other than 0.', 'Write for example 0.01.');
  if (type === 'bcd') lintBcd(field, path, bad, findings);
  if (type === 'number' || type === 'hex_number') lintPrinted(field, path, bad, findings);
  lintInvalid(field, path, findings);
  if (names !== undefined)
    lintEnumUse(names, enums, [-(1n << 63n), (1n << 64n) - 1n], [...path, 'enum'], findings);
  const meanings = {
    enum: names,
    scale: field.scale,
    time: field.time,
    as: field.as === 'text' ? field.as : undefined,
  };
  const given = Object.entries(meanings).filter(([, meaning]) => meaning !== undefined);
  if (given.length > 1) {
    const [[first = ''] = [], [second = ''] = []] = given;
    findings.add(
      'config_conflict',
      [...path, second],
      `\`${second}\` has no meaning beside \`${first}\`.`,
      'Remove one of the two.',
    );
  }
  if (field.time !== undefined) lintTime(field, path, findings);
  lintRange(range, EVERYTHING, [...path, 'range'], findings);
  if (limits !== undefined) lintLimits(limits, unit, EVERYTHING, [...path, 'limits'], findings);
}

function lintBcd(field: FieldDeclaration, path: Path, bad: Add, findings: Findings): void {
  const { length, digits } = field;
  if (length === undefined && digits === undefined) {
    findings.add(
      'config_missing_key',
      path,
      'Nothing says how many digits there are.',
      'Add `digits:`, or `length:` in bytes.',
    );
    return;
  }
  if (
    length !== undefined &&
    (typeof length !== 'number' || length < 1 || length > MOST_BCD_BYTES || !Number.isInteger(length))
  ) {
    bad('length', 'Binary-coded decimals have a fixed length.', `Write 1 to ${MOST_BCD_BYTES} bytes.`);
    return;
  }
  if (digits !== undefined && digits > 2 * bcdSize(field).bytes)
    bad('digits', 'The bytes have fewer nibbles.', `Write at most ${2 * bcdSize(field).bytes}.`);
}

function lintPrinted(field: FieldDeclaration, path: Path, bad: Add, findings: Findings): void {
  const { type, format, decimals, thousands, decimalMark, digits } = field;
  const spec = format === undefined ? undefined : parseNumberFormat(format);
  const hex = type === 'hex_number';
  if (format !== undefined && (spec === undefined || /[xX]/.test(spec.kind) !== hex)) {
    const example = hex ? '%04X' : '%.3f or %+.3E';
    bad(
      'format',
      'This is no format of such a number.',
      `Write one conversion of printf, for example ${example}.`,
    );
  }
  if (format !== undefined && (decimals !== undefined || digits !== undefined)) {
    const key = decimals === undefined ? 'digits' : 'decimals';
    findings.add('config_conflict', [...path, key], '`format` says that already.', 'Remove one of the two.');
  }
  for (const [key, mark] of Object.entries({ thousands, decimal_mark: decimalMark })) {
    if (mark === undefined || /^[^\dEe+-]$/.test(mark)) continue;
    bad(key, 'This is no single character beside digits.', 'Write for example ",".');
  }
  for (const [key, given] of Object.entries({ format, thousands, decimal_mark: decimalMark })) {
    if (field.angle === undefined || given === undefined) continue;
    findings.add(
      'config_conflict',
      [...path, key],
      `\`${key}\` has no meaning beside \`angle\`.`,
      'Remove one of the two.',
    );
  }
  if (thousands !== undefined && thousands === (decimalMark ?? '.'))
    bad('thousands', 'The decimals begin with the same character.', 'Write `decimal_mark:` too.');
  if (digits !== undefined && digits > 16)
    bad('digits', 'A number has at most 16 hexadecimal digits.', 'Write 1 to 16.');
}

/** Checks what of a declaration says "no value". */
function lintInvalid(field: FieldDeclaration, path: Path, findings: Findings): void {
  const { type, invalid } = field;
  if (type === 'number' || type === 'hex_number' || type === 'time') return;
  for (const [index, each] of listOf(invalid ?? []).entries()) {
    const whole = parseWhole(each);
    if (whole !== undefined && whole >= 0n) continue;
    findings.add(
      'config_bad_value',
      typeof invalid === 'object' ? [...path, 'invalid', index] : [...path, 'invalid'],
      'This is no pattern of bytes.',
      'Write for example 0xffff; beyond 2^53 in quotes.',
    );
  }
}

function lintClock(field: FieldDeclaration, bad: Add): void {
  const { type, format, zone } = field;
  const parts = format === undefined ? undefined : parseTimeFormat(format);
  const example = type === 'time' ? 'YYYY-MM-DD hh:mm:ss' : 'YYMMDDhhmmss';
  if (format !== undefined && parts === undefined)
    bad(
      'format',
      'This is no format of a time.',
      `Write for example ${example}; docs/reference/messages.md lists the letters.`,
    );
  if (parts !== undefined) {
    const has = (...tokens: readonly string[]): boolean => parts.some(({ token }) => tokens.includes(token));
    const years = Number(has('YYYY', 'YY')) + Number(has('MM', 'MMM')) + Number(has('DD'));
    const clock = Number(has('hh')) + Number(has('mm'));
    const both = (has('YYYY') && has('YY')) || (has('MM') && has('MMM')) || (has('f') && has('F'));
    if (
      (years !== 0 && years !== 3) ||
      clock === 1 ||
      both ||
      years + clock === 0 ||
      (clock === 0 && has('ss', 'f', 'F'))
    )
      bad(
        'format',
        'A time has a year, a month and a day, or hours and minutes, or both.',
        `Write for example ${example}.`,
      );
    if (type !== 'time' && parts.some(({ token }) => ['literal', 'MMM', 'F', 'Z', 'W'].includes(token)))
      bad('format', 'Nibbles and bytes have digits only.', `Write for example ${example}.`);
    if (
      type === 'byte_time' &&
      parts.some(({ token, text }) => (token === 'f' || token === 'x') && text.length > 2)
    )
      bad('format', 'A byte has at most two of these digits.', `Write for example ${example}.`);
  }
  if (zone !== undefined && parseOffset(zone) === undefined)
    bad(
      'zone',
      'This is no offset from UTC.',
      'Write for example "+08:00" or Z; names of zones with a summer time have none.',
    );
}

/** Checks what a number counts. */
export function lintTime(field: FieldDeclaration, path: Path, findings: Findings): void {
  const { time, type } = field;
  const here = [...path, 'time'];
  const { epoch, zone } = time ?? {};
  if (epoch !== undefined && parseEpoch(epoch) === undefined)
    findings.add(
      'config_bad_value',
      [...here, 'epoch'],
      'This is no epoch.',
      `Write ${EPOCH_NAMES.join(', ')}, a year, or a date such as 2000-01-01.`,
    );
  if (zone !== undefined && parseOffset(zone) === undefined)
    findings.add(
      'config_bad_value',
      [...here, 'zone'],
      'This is no offset from UTC.',
      'Write for example "+08:00" or Z.',
    );
  if (/^f\d/.test(type))
    findings.add('config_no_effect', here, 'Only whole numbers count time.', 'Remove it.');
  for (const key of ['offset', 'unit', 'limits', 'range', 'negative'] as const) {
    if (field[key] === undefined) continue;
    findings.add(
      'config_conflict',
      [...path, key],
      `\`${key}\` has no meaning beside \`time\`.`,
      'Remove one of the two.',
    );
  }
  if (field.scale !== undefined && type !== 'number')
    findings.add(
      'config_conflict',
      [...path, 'scale'],
      '`scale` has no meaning beside `time`.',
      'Remove one of the two.',
    );
}
