import { textOfName } from './condition.ts';
import type { FieldDeclaration } from './declaration.ts';
import { enumNames } from './enum-names.ts';
import { type Findings, lintName, type Path } from './finding.ts';
import { lintExtent, type Surroundings } from './lint-references.ts';
import { parseNumberType, parseWhole } from './number-type.ts';

/** Checks fields at a path, as the caller does. */
type LintFields = (fields: readonly FieldDeclaration[], path: Path, around: Surroundings) => void;

/** Checks the length of a structure, a list or a switch. */
export function lintMeasured(
  { length }: FieldDeclaration,
  path: Path,
  around: Surroundings,
  own: ReadonlyMap<string, FieldDeclaration>,
): Surroundings {
  if (length === undefined) return around;
  lintExtent(length, [...path, 'length'], around, own);
  return { ...around, restPossible: true };
}

/** Checks fields that an earlier one selects. */
export function lintSwitch(
  field: FieldDeclaration,
  path: Path,
  around: Surroundings,
  lintFields: LintFields,
): void {
  const { findings, earlier, protocol } = around;
  const { on, cases = {}, else: otherwise } = field;
  const target = earlier.get(on ?? '');
  const type = target && parseNumberType(target.type, protocol.byteOrder);
  if (target === undefined || (target.type !== 'text' && (type?.kind !== 'int' || type.bytes > 6))) {
    findings.add(
      on === undefined ? 'config_missing_key' : 'config_bad_value',
      on === undefined ? path : [...path, 'on'],
      on === undefined
        ? 'Nothing says which field selects the case.'
        : `\`${on}\` is no whole number of at most 48 bits and no text in front of this field.`,
      'Write `on:` with the name of an earlier field.',
    );
    return;
  }
  if (Object.keys(cases).length === 0) {
    findings.add('config_missing_key', path, 'There are no cases.', 'Add for example `cases: { 1: [...] }`.');
  }
  const names = enumNames(target.enum, protocol.enums);
  const seen = new Map<string, string>();
  for (const [value, fields] of Object.entries(cases)) {
    const here = [...path, 'cases', value];
    const raw =
      target.type === 'text'
        ? textOfName(value, target.enum)
        : String(names?.rawOf(value) ?? parseWhole(value) ?? '');
    const other = seen.get(raw);
    if (raw === '' || other !== undefined) {
      findings.add(
        other === undefined ? 'config_bad_value' : 'config_conflict',
        here,
        other === undefined ? `\`${on}\` is never \`${value}\`.` : `\`${other}\` is the same case.`,
        names === undefined ? 'Write the raw value.' : `There are ${names.names.join(', ')}.`,
      );
    }
    seen.set(raw, value);
    lintFields(fields, here, around);
  }
  if (otherwise !== undefined) lintFields(otherwise, [...path, 'else'], around);
}

/** Checks a list of tags, lengths and values. */
export function lintTlv(
  field: FieldDeclaration,
  path: Path,
  around: Surroundings,
  own: ReadonlyMap<string, FieldDeclaration>,
  lintFields: LintFields,
): void {
  const { findings, protocol } = around;
  const { tag = 'u8', length = 'u8', count, tags = {} } = field;
  const type = parseNumberType(tag, protocol.byteOrder);
  if (type === undefined || type.kind !== 'int' || type.signed || type.bytes > 4) {
    findings.add(
      'config_bad_value',
      [...path, 'tag'],
      'A tag is a whole number without sign, of at most 32 bits.',
      'Write u8, u16, u24 or u32.',
    );
    return;
  }
  const saysItself = typeof length === 'number' || (typeof length === 'string' && length !== 'rest');
  if (!saysItself && !(typeof length === 'object' && length.type !== undefined)) {
    findings.add(
      'config_bad_value',
      [...path, 'length'],
      'The length of an element stands in front of it, or is always the same.',
      'Write a type such as u8, or a number.',
    );
  } else lintExtent(length, [...path, 'length'], around, own);
  if (count !== undefined) lintExtent(count, [...path, 'count'], around, own);
  else lintExtent('rest', path, around, own);
  const names = new Map<string, string>();
  for (const [key, each] of Object.entries(tags)) {
    const here = [...path, 'tags', key];
    const raw = parseWhole(key);
    if (raw === undefined || raw < 0n || raw >= 1n << BigInt(8 * type.bytes)) {
      findings.add(
        'config_bad_value',
        here,
        `No tag can be ${key}.`,
        `Write 0 to ${2 ** (8 * type.bytes) - 1}.`,
      );
    }
    lintTagged(each, here, findings);
    const { name = '' } = each;
    if (names.has(name)) {
      findings.add(
        'config_conflict',
        [...here, 'name'],
        `The tag ${names.get(name)} has the same name.`,
        'Give each a name of its own.',
      );
    }
    names.set(name, key);
    const { repeat: _, ...plain } = each;
    lintFields([plain], here, { ...around, restPossible: true });
  }
}

function lintTagged({ name, type, value, when }: FieldDeclaration, path: Path, findings: Findings): void {
  if (name === undefined) lintName(name, path, 'The field', findings);
  if (name?.startsWith('tag_')) {
    findings.add(
      'config_bad_value',
      [...path, 'name'],
      'So are elements called of which nothing is declared.',
      'Give it another name.',
    );
  }
  if (value !== undefined || when !== undefined || type === 'crc' || type === 'reserved') {
    findings.add(
      'config_bad_value',
      path,
      'An element has a value of its own, wherever its tag is.',
      'Remove `value` and `when`, or leave the tag out.',
    );
  }
}

/** Checks what may be missing, and what may come behind. */
export function lintUntil(
  { until, count, length, separator }: FieldDeclaration,
  path: Path,
  { findings }: Surroundings,
): void {
  const given = [
    ...(until === undefined ? [] : ['until']),
    ...(count === undefined ? [] : ['count']),
    ...(length === undefined ? [] : ['length']),
  ];
  if (given.length > 1) {
    findings.add(
      'config_conflict',
      [...path, given[0] ?? 'count'],
      `${given.map((each) => `\`${each}\``).join(' and ')} say where the list ends.`,
      'Leave one of them.',
    );
  }
  if (separator !== undefined && (until !== undefined || length !== undefined)) {
    findings.add(
      'config_conflict',
      [...path, 'separator'],
      'A list in a text ends with its column.',
      'Remove `until` and `length`.',
    );
  }
}
