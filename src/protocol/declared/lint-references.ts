import { CHECKSUM_NAMES, findChecksum } from '../crc/catalogue.ts';
import { wrongParameters } from '../crc/parameters.ts';
import { splitReference } from './condition.ts';
import type { Condition, Extent, FieldDeclaration, ProtocolDeclaration } from './declaration.ts';
import { enumNames } from './enum-names.ts';
import type { Findings, Path } from './finding.ts';
import { parseNumberType } from './number-type.ts';

/** What a field is checked against. */
export interface Surroundings {
  readonly protocol: ProtocolDeclaration;
  readonly findings: Findings;
  /** Earlier fields of the structures around, then of this one. */
  readonly earlier: ReadonlyMap<string, FieldDeclaration>;
  /** Names that a checksum may cover beside those: `id`. */
  readonly coverable: ReadonlySet<string>;
  /** All behind the field is of known length, so it may take all the rest. */
  readonly restPossible: boolean;
  /** The fields are columns or pairs of a text. */
  readonly region?: 'columns' | 'pairs' | undefined;
}

export function lintExtent(
  extent: Extent,
  path: Path,
  around: Surroundings,
  own: ReadonlyMap<string, FieldDeclaration>,
): void {
  const { protocol, findings, restPossible } = around;
  if (typeof extent === 'number') {
    if (isCount(extent) && extent <= protocol.maxFrame) return;
    findings.add(
      'config_bad_value',
      path,
      'This is no possible number.',
      `Write a whole number from 0 to ${protocol.maxFrame}.`,
    );
    return;
  }
  if (extent === 'rest') {
    if (restPossible) return;
    findings.add(
      'config_conflict',
      path,
      'What takes all the rest leaves nothing for the fields behind it.',
      'Put it last; behind it only fields of a fixed length are possible.',
    );
    return;
  }
  if (typeof extent === 'string') {
    const type = parseNumberType(extent, protocol.byteOrder);
    if (type !== undefined && type.kind === 'int' && !type.signed && type.bytes <= 4) return;
    findings.add(
      'config_bad_value',
      path,
      'This says no length.',
      'Write a number, u8, u16, u24 or u32 (with le or be), { field: x } or rest.',
    );
    return;
  }
  if (extent.field === undefined) {
    lintExtent(extent.type ?? '', [...path, 'type'], around, own);
    return;
  }
  const target = own.get(extent.field);
  if (target === undefined) {
    findings.add(
      'config_bad_value',
      [...path, 'field'],
      `There is no field \`${extent.field}\` in front of this one.`,
      `Name an earlier field of the same structure${own.size === 0 ? '' : `: ${[...own.keys()].join(', ')}`}.`,
    );
    return;
  }
  const type = parseNumberType(target.type, protocol.byteOrder);
  const { scale, offset, enum: names, bits, value, when, sign, negative, time } = target;
  const plain = [scale, offset, names, bits, value, when, sign, negative, time].every(
    (each) => each === undefined,
  );
  if (type !== undefined && type.kind === 'int' && type.bytes <= 6 && plain) return;
  findings.add(
    'config_bad_value',
    [...path, 'field'],
    `\`${extent.field}\` is no plain whole number.`,
    'Name a field without scale, enum, bits or condition.',
  );
}

export function lintCondition(
  condition: Condition,
  path: Path,
  { earlier, protocol, findings }: Surroundings,
): void {
  const [name, bitName] = splitReference(condition.field);
  const target = earlier.get(name);
  const type = target === undefined ? undefined : parseNumberType(target.type, protocol.byteOrder);
  const bit = target?.bits?.find((each) => each.name === bitName);
  if (target === undefined || (bitName !== undefined && bit === undefined)) {
    findings.add(
      'config_bad_value',
      [...path, 'field'],
      `There is no field \`${condition.field}\` in front of this one.`,
      'Name an earlier field, or one of its bits: status.door_open.',
    );
    return;
  }
  if (target.type !== 'text' && (type === undefined || type.kind !== 'int' || type.bytes > 6)) {
    findings.add(
      'config_bad_value',
      [...path, 'field'],
      `\`${name}\` is no whole number of at most 48 bits, and no text.`,
      'Name a whole number, one of its bits, or a text.',
    );
    return;
  }
  const { is, not, gt, lt, mask } = condition;
  const none = [is, not, gt, lt, mask].every((each) => each === undefined);
  if (none || (is !== undefined && not !== undefined)) {
    findings.add(
      'config_conflict',
      path,
      none
        ? 'Nothing says when the field is there.'
        : 'Only one of `is` and `not` says when the field is there.',
      'Write for example { field: mode, is: 1 }, or gt, lt or mask.',
    );
    return;
  }
  if (target.type === 'text') {
    for (const [key, given] of Object.entries({ gt, lt, mask })) {
      if (given === undefined) continue;
      findings.add(
        'config_no_effect',
        [...path, key],
        'Texts have no order and no bits.',
        'Write `is` or `not`.',
      );
    }
    return;
  }
  const names = enumNames(bit === undefined ? target.enum : bit.enum, protocol.enums);
  const wanted = is ?? not;
  if (wanted === undefined) return;
  for (const value of Array.isArray(wanted) ? wanted : [wanted]) {
    if (typeof value !== 'string' || names?.rawOf(value) !== undefined) continue;
    findings.add(
      'config_bad_value',
      [...path, condition.is === undefined ? 'not' : 'is'],
      `\`${condition.field}\` has no value ${JSON.stringify(value)}.`,
      names === undefined ? 'Write the raw number.' : `There are ${names.names.join(', ')}.`,
    );
  }
}

export function lintChecksum(
  { algorithm, covers }: FieldDeclaration,
  path: Path,
  { earlier, coverable, findings }: Surroundings,
  later: readonly (string | undefined)[],
): void {
  if (algorithm === undefined) {
    findings.add(
      'config_missing_key',
      path,
      'Nothing says which checksum it is.',
      'Add for example `algorithm: crc-16/modbus`.',
    );
  } else if (typeof algorithm !== 'string') {
    const wrong = wrongParameters(algorithm, findChecksum);
    if (wrong !== undefined)
      findings.add(
        'config_bad_value',
        [...path, 'algorithm', wrong.key],
        `${capital(wrong.message)}.`,
        wrong.fix,
      );
  } else if (findChecksum(algorithm) === undefined) {
    const near = CHECKSUM_NAMES.filter(
      (name) => name.split('/')[0] === algorithm.toLowerCase().split('/')[0],
    );
    findings.add(
      'config_bad_value',
      [...path, 'algorithm'],
      `There is no checksum \`${algorithm}\`.`,
      near.length === 0
        ? 'Use the names of the reveng catalogue, for example crc-16/modbus or crc-32/iso-hdlc.'
        : `There are ${near.slice(0, 30).join(', ')}.`,
    );
  }
  if (covers?.length === 0) {
    findings.add(
      'config_bad_value',
      [...path, 'covers'],
      'The checksum covers nothing.',
      'Name fields, or leave `covers` out for all that stands in front.',
    );
  }
  for (const [index, name] of (covers ?? []).entries()) {
    if (earlier.has(name) || coverable.has(name) || later.includes(name)) continue;
    findings.add(
      'config_bad_value',
      [...path, 'covers', index],
      `There is no field \`${name}\` beside the checksum.`,
      `There are ${[...coverable, ...earlier.keys()].join(', ')}.`,
    );
  }
}

export const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
