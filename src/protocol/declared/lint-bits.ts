import { parseBits } from './bit-range.ts';
import { UNDECLARED_BITS } from './bits-field.ts';
import type { BitDeclaration, FieldDeclaration } from './declaration.ts';
import { type Findings, lintName, type Path } from './finding.ts';
import { type Enums, lintEnumUse } from './lint-enums.ts';
import { lintLimits } from './lint-limits.ts';
import { listOf, scalingOf } from './number-field.ts';
import { type NumberType, parseWhole } from './number-type.ts';

/** Checks the named bits of a number. */
export function lintBits(
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
      'Write `type: u` instead of `i`; `signed: true` belongs to a range of bits.',
    );
  }
  if (bits.length === 0)
    findings.add('config_bad_value', path, 'There are no bits.', 'Write for example { name: fan, at: 0 }.');
  const owners: (string | undefined)[] = [];
  const names = new Set<string>();
  for (const [index, bit] of bits.entries()) {
    const { name, at, enum: named } = bit;
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
    if (name === UNDECLARED_BITS) {
      findings.add(
        'config_bad_value',
        [...here, 'name'],
        'Under this name stand the bits that have no name.',
        'Give the bits another name.',
      );
    }
    const range = parseBits(at);
    if (range === undefined || range.from + range.count > type.bytes * 8) {
      findings.add(
        'config_bad_value',
        [...here, 'at'],
        range === undefined ? 'This is neither a bit nor a range of bits.' : 'The number has no such bits.',
        `Write a bit from 0 to ${type.bytes * 8 - 1}, or a range such as 2..3.`,
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
    for (let place = range.from; place < range.from + range.count; place++) owners[place] ??= name;
    if (named !== undefined)
      lintEnumUse(named, enums, bitBounds(bit, range.count), [...here, 'enum'], findings);
    lintQuantity(bit, range.count, here, findings);
  }
}

const bitBounds = ({ signed }: BitDeclaration, count: number): readonly [bigint, bigint] => {
  const limit = 1n << BigInt(count);
  return signed === true ? [-(limit / 2n), limit / 2n - 1n] : [0n, limit - 1n];
};

/** Checks scale, limits and what says "no value". */
function lintQuantity(bit: BitDeclaration, count: number, path: Path, findings: Findings): void {
  const { scale, offset, unit, limits, invalid, enum: names, signed } = bit;
  if (scale === 0)
    findings.add(
      'config_bad_value',
      [...path, 'scale'],
      'A scale is a number other than 0.',
      'Write for example 0.01.',
    );
  const quantity = { scale, offset, unit, limits };
  for (const [key, given] of Object.entries({ ...quantity, signed: signed === true ? signed : undefined })) {
    if (given === undefined || (names === undefined && count > 1)) continue;
    if (names !== undefined && key === 'signed') continue;
    findings.add(
      'config_conflict',
      [...path, key],
      names === undefined
        ? `\`${key}\` has no meaning for a single bit.`
        : `\`${key}\` has no meaning beside \`enum\`.`,
      'Remove one of the two.',
    );
  }
  const [least, greatest] = bitBounds(bit, count);
  for (const [index, each] of listOf(invalid ?? []).entries()) {
    const whole = parseWhole(each);
    if (whole !== undefined && whole >= least && whole < 1n << BigInt(count)) continue;
    findings.add(
      'config_bad_value',
      typeof invalid === 'object' ? [...path, 'invalid', index] : [...path, 'invalid'],
      'The bits can never be this.',
      `Write a whole number of at most ${count} bits.`,
    );
  }
  if (limits === undefined || scale === 0) return;
  const scaling = scalingOf({ type: 'u8', scale, offset }, Number(greatest));
  const ends = [Number(least), Number(greatest)].map((end) => scaling?.toValue(end) ?? end);
  lintLimits(limits, unit, [Math.min(...ends), Math.max(...ends)], [...path, 'limits'], findings);
}
