import { parseBits } from './bits-field.ts';
import type { EnumDeclaration, FieldDeclaration } from './declaration.ts';
import { type Findings, lintName, type Path } from './finding.ts';
import { lintLimits, lintRange } from './lint-limits.ts';
import { scalingOf } from './number-field.ts';
import { floatBits, type NumberType, parseWhole, storeFloat, wholeRange } from './number-type.ts';

type Enums = Readonly<Record<string, EnumDeclaration>>;

/** Checks what only numbers have: scale, enum, bits, limits, invalid, a constant value. */
export function lintNumber(
  field: FieldDeclaration,
  type: NumberType,
  enums: Enums,
  path: Path,
  findings: Findings,
): void {
  const { scale, offset, enum: names, bits, value, invalid } = field;
  const bad = (key: string, message: string, fix: string) =>
    findings.add('config_bad_value', [...path, key], message, fix);
  if (scale !== undefined && (!Number.isFinite(scale) || scale === 0)) {
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
    for (const key of ['scale', 'offset', 'enum', 'bits', 'limits', 'range', 'invalid', 'unit'] as const) {
      if (key === exclusive || field[key] === undefined) continue;
      if (exclusive === 'enum' && (key === 'invalid' || key === 'bits')) continue;
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
  if (invalid !== undefined) lintPattern(invalid, type, [...path, 'invalid'], findings);
  if (scale !== 0 && exclusive === undefined) {
    const bounds = boundsOf(field, type);
    if (type.kind === 'int' && !bounds.every(Number.isFinite)) {
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
  if (type.kind === 'float') return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  const [least, greatest] = wholeRange(type).map(Number) as [number, number];
  const scaling = scalingOf(field, Math.max(-least, greatest));
  if (scaling === undefined) return [least, greatest];
  const ends = [scaling.toValue(least), scaling.toValue(greatest)];
  return [Math.min(...ends), Math.max(...ends)];
}

function lintEnumUse(
  names: string | EnumDeclaration,
  enums: Enums,
  [least, greatest]: readonly [bigint, bigint],
  path: Path,
  findings: Findings,
): void {
  if (typeof names === 'string' && !Object.hasOwn(enums, names)) {
    const known = Object.keys(enums);
    findings.add(
      'config_bad_value',
      path,
      `There is no enum \`${names}\`.`,
      known.length === 0 ? 'Declare it below `enums:`.' : `There are ${known.join(', ')}.`,
    );
    return;
  }
  const values = typeof names === 'string' ? (enums[names] ?? {}) : names;
  if (typeof names !== 'string' && !lintEnum(values, path, findings)) return;
  for (const key of Object.keys(values)) {
    const raw = parseWhole(key);
    if (raw === undefined || (raw >= least && raw <= greatest)) continue;
    const message = `The field can never be ${key}.`;
    const fix = `Its raw values are ${least} to ${greatest}.`;
    findings.add('config_bad_value', typeof names === 'string' ? path : [...path, key], message, fix);
  }
}

/** Checks an enum by itself; false where it cannot be used. */
export function lintEnum(values: EnumDeclaration, path: Path, findings: Findings): boolean {
  const before = findings.errors;
  const seen = new Map<string, string>();
  const raws = new Map<bigint, string>();
  if (Object.keys(values).length === 0) {
    findings.add(
      'config_bad_value',
      path,
      'The enum is empty.',
      'Write for example { 0: idle, 1: running }.',
    );
  }
  for (const [key, name] of Object.entries(values)) {
    const raw = parseWhole(key);
    const same = raw === undefined ? undefined : raws.get(raw);
    if (raw === undefined) {
      findings.add(
        'config_bad_value',
        [...path, key],
        `${JSON.stringify(key)} is no whole number.`,
        'Write the raw value in front of the colon, the name behind it.',
      );
    } else if (same !== undefined) {
      findings.add(
        'config_conflict',
        [...path, key],
        `${same} is the same number.`,
        'Remove one of the two.',
      );
    } else raws.set(raw, key);
    if (typeof name !== 'string' || name === '' || name.length > 64) {
      findings.add(
        'config_bad_type',
        [...path, key],
        'A name of 1 to 64 characters is expected here.',
        'Write a word; quote it if YAML takes it for a number, or for true or false.',
      );
      continue;
    }
    const other = seen.get(name);
    if (other !== undefined) {
      findings.add(
        'config_conflict',
        [...path, key],
        `${other} has the same name.`,
        'Give each value a name of its own.',
      );
    }
    seen.set(name, key);
  }
  return findings.errors === before;
}

function lintBits(
  bits: NonNullable<FieldDeclaration['bits']>,
  type: NumberType,
  enums: Enums,
  path: Path,
  findings: Findings,
): void {
  if (type.signed) {
    findings.add(
      'config_bad_value',
      path,
      'Bits need an unsigned number.',
      'Write `type: u` instead of `i`.',
    );
  }
  if (bits.length === 0)
    findings.add('config_bad_value', path, 'There are no bits.', 'Write for example { name: fan, at: 0 }.');
  const owners: (string | undefined)[] = [];
  const names = new Set<string>();
  for (const [index, { name, at, enum: named }] of bits.entries()) {
    const here = [...path, index];
    if (lintName(name, [...here, 'name'], 'The bit', findings) && names.has(name)) {
      findings.add(
        'config_conflict',
        [...here, 'name'],
        `There are two bits \`${name}\`.`,
        'Give each a name of its own.',
      );
    }
    names.add(name);
    const range = parseBits(at);
    if (range === undefined || range.from + range.count > type.bytes * 8 || range.count > 32) {
      findings.add(
        'config_bad_value',
        [...here, 'at'],
        range === undefined ? 'This is neither a bit nor a range of bits.' : 'The number has no such bits.',
        `Write a bit from 0 to ${type.bytes * 8 - 1}, or a range such as 2..3, of at most 32 bits.`,
      );
      continue;
    }
    const clash = owners.slice(range.from, range.from + range.count).find((owner) => owner !== undefined);
    if (clash !== undefined) {
      findings.add(
        'config_conflict',
        [...here, 'at'],
        `The bits overlap with \`${clash}\`.`,
        'Let every bit belong to one name.',
      );
    }
    for (let bit = range.from; bit < range.from + range.count; bit++) owners[bit] ??= name;
    if (named !== undefined)
      lintEnumUse(named, enums, [0n, (1n << BigInt(range.count)) - 1n], [...here, 'enum'], findings);
  }
}
