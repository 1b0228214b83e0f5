import type { FieldDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import { isAnyNan } from './float-field.ts';
import { lintBits } from './lint-bits.ts';
import { lintTime } from './lint-coded.ts';
import { type Enums, lintEnumUse } from './lint-enums.ts';
import { lintLimits, lintRange } from './lint-limits.ts';
import { listOf, scalingOf } from './number-field.ts';
import { floatBits, type NumberType, parseWhole, storeFloat, wholeRange } from './number-type.ts';

/** Keys without a meaning beside a constant, bits or names. */
const EXCLUDED = [
  'scale',
  'offset',
  'enum',
  'bits',
  'limits',
  'range',
  'invalid',
  'unit',
  'sign',
  'negative',
  'time',
] as const;

/** Checks what only numbers have: scale, enum, bits, limits, invalid, a constant value. */
export function lintNumber(
  field: FieldDeclaration,
  type: NumberType,
  enums: Enums,
  path: Path,
  findings: Findings,
): void {
  const { scale, offset, enum: names, bits, value } = field;
  const bad = (key: string, message: string, fix: string) =>
    findings.add('config_bad_value', [...path, key], message, fix);
  if (typeof scale === 'number' && (!Number.isFinite(scale) || scale === 0)) {
    bad('scale', 'A scale is a number other than 0.', 'Write for example 0.01.');
  }
  if (offset !== undefined && !Number.isFinite(offset))
    bad('offset', 'An offset is a number.', 'Write for example -40.');
  const conflict = (key: string, with_: string) =>
    findings.add(
      'config_conflict',
      [...path, key],
      `\`${key}\` has no meaning beside \`${with_}\`.`,
      `Remove one of the two.`,
    );
  const exclusive =
    value === undefined
      ? bits === undefined
        ? names === undefined
          ? undefined
          : 'enum'
        : 'bits'
      : 'value';
  if (exclusive !== undefined) {
    for (const key of EXCLUDED) {
      if (key === exclusive || field[key] === undefined) continue;
      if (exclusive === 'enum' && (key === 'invalid' || key === 'bits' || key === 'sign')) continue;
      conflict(key, exclusive);
    }
  }
  if (type.kind === 'float') {
    if (names !== undefined)
      bad('enum', 'A floating-point number has no names.', 'Use a whole number type, or remove it.');
    if (bits !== undefined)
      bad('bits', 'A floating-point number has no bits of its own.', 'Use a whole number type.');
    if (value !== undefined && (String(value).trim() === '' || !Number.isFinite(Number(value))))
      bad('value', 'The type cannot carry this value.', 'Write a number.');
  } else {
    lintWhole(value, type, [...path, 'value'], findings);
    if (names !== undefined) lintEnumUse(names, enums, wholeRange(type), [...path, 'enum'], findings);
    if (bits !== undefined) lintBits(bits, type, enums, [...path, 'bits'], findings);
  }
  lintPatterns(field.invalid, type, [...path, 'invalid'], findings);
  lintSign(field, type, path, findings);
  if (field.time !== undefined) lintTime(field, path, findings);
  if (scale !== 0 && exclusive === undefined && field.time === undefined) {
    const bounds = boundsOf(field, type);
    if (type.kind === 'int' && typeof scale !== 'object' && !bounds.every(Number.isFinite)) {
      bad('scale', 'Values in this scale are beyond all numbers.', 'Write for example 0.01.');
      return;
    }
    lintRange(field.range, bounds, [...path, 'range'], findings);
    if (field.limits !== undefined)
      lintLimits(field.limits, field.unit, bounds, [...path, 'limits'], findings);
  }
}

function lintWhole(
  value: number | string | undefined,
  type: NumberType,
  path: Path,
  findings: Findings,
): void {
  if (value === undefined) return;
  const whole = parseWhole(value);
  const [least, greatest] = wholeRange(type);
  if (whole !== undefined && whole >= least && whole <= greatest) return;
  if (isInexact(value)) return lintInexact(path, findings);
  findings.add(
    'config_bad_value',
    path,
    `The type cannot carry this value.`,
    `Write a whole number from ${least} to ${greatest}.`,
  );
}

/** YAML reads whole numbers beyond 2^53 as the nearest one that it knows. */
const isInexact = (value: number | string): boolean =>
  typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);

function lintInexact(path: Path, findings: Findings): void {
  findings.add(
    'config_unquoted',
    path,
    'YAML cannot carry a whole number beyond 2^53 without quotes.',
    'Put it in quotes.',
  );
}

function lintPatterns(
  invalid: FieldDeclaration['invalid'],
  type: NumberType,
  path: Path,
  findings: Findings,
): void {
  const list = typeof invalid === 'object';
  for (const [index, each] of listOf(invalid ?? []).entries()) {
    if (type.kind === 'float' && isAnyNan(each)) continue;
    lintPattern(each, type, list ? [...path, index] : path, findings);
  }
}

function lintSign({ sign }: FieldDeclaration, type: NumberType, path: Path, findings: Findings): void {
  if (sign === undefined || (sign === 'magnitude' && type.kind === 'int' && type.signed)) return;
  findings.add(
    'config_bad_value',
    [...path, 'sign'],
    'A number of this type has no such sign.',
    'Use `sign: magnitude` with a type such as i16, or remove it.',
  );
}

/** A raw pattern may be written signed or unsigned: 0xFFFF and -1 are the same in an i16. */
function lintPattern(value: number | string, type: NumberType, path: Path, findings: Findings): void {
  const whole = parseWhole(value);
  const limit = 1n << BigInt(type.bytes * 8);
  const float = type.kind === 'float';
  const possible =
    whole !== undefined && whole < limit && whole >= (type.signed && !float ? -(limit / 2n) : 0n);
  // The bits of a number that a device really sends are not as small.
  const unlikely = float && possible && whole > 0n && whole < limit >> (type.bytes === 4 ? 9n : 12n);
  if (possible && !unlikely) return;
  if (float && Number.isFinite(Number(value))) {
    const bytes = new Uint8Array(type.bytes);
    storeFloat({ ...type, little: false }, bytes, 0, Number(value));
    findings.add(
      unlikely ? 'config_unlikely' : 'config_bad_value',
      path,
      'Of a floating-point number, these are its bits.',
      `Write "0x${floatBits({ ...type, little: false }, bytes, 0).toString(16)}" where the number ${value} says "no value".`,
      unlikely ? 'warning' : 'error',
    );
    return;
  }
  if (isInexact(value)) return lintInexact(path, findings);
  findings.add(
    'config_bad_value',
    path,
    'The type cannot carry this raw value.',
    `Write a whole number of at most ${type.bytes * 8} bits, for example 0x${(limit / 2n - 1n).toString(16)}.`,
  );
}

function boundsOf(field: FieldDeclaration, type: NumberType): readonly [number, number] {
  if (type.kind === 'float' || typeof field.scale === 'object')
    return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [lowest, greatest] = wholeRange(type).map(Number) as [number, number];
  const least = field.negative === undefined ? lowest : -greatest;
  const scaling = scalingOf(field, Math.max(-least, greatest));
  if (scaling === undefined) return [least, greatest];
  const ends = [scaling.toValue(least), scaling.toValue(greatest)];
  return [Math.min(...ends), Math.max(...ends)];
}
