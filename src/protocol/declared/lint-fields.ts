import { compileField, takesRest } from './compile-fields.ts';
import type { FieldDeclaration, ProtocolDeclaration } from './declaration.ts';
import { FIELD_TYPES, fieldType, isNamedType } from './field-types.ts';
import { lintName, type Path } from './finding.ts';
import { lintCoded } from './lint-coded.ts';
import { isColumnKey, lintColumn, lintSplit, lintTextNames, within } from './lint-columns.ts';
import { lintConstant } from './lint-constants.ts';
import { lintMeasured, lintSwitch, lintTlv, lintUntil } from './lint-nested.ts';
import { lintNumber } from './lint-numbers.ts';
import { isCount, lintChecksum, lintCondition, lintExtent, type Surroundings } from './lint-references.ts';
import { lintReferredNumber } from './lint-scale.ts';
import { parseNumberType } from './number-type.ts';
import { sizingScope } from './sizing.ts';
import { isSplit } from './split.ts';
import { isTextType } from './text-slice.ts';

/** Checks the fields of a message or a structure, one behind the other. */
export function lintFields(fields: readonly FieldDeclaration[], path: Path, around: Surroundings): void {
  const { findings } = around;
  const earlier = new Map(around.earlier);
  const own = new Map<string, FieldDeclaration>();
  for (const [index, field] of fields.entries()) {
    const here = [...path, index];
    const { name } = field;
    if (name !== undefined || field.type !== 'reserved') {
      const usable = lintName(name, name === undefined ? here : [...here, 'name'], 'The field', findings);
      if (usable && name !== undefined && own.has(name)) {
        findings.add(
          'config_conflict',
          [...here, 'name'],
          `There are two fields \`${name}\`.`,
          'Give each a name of its own.',
        );
      }
      if (usable && name === 'id' && around.coverable.has('id')) {
        findings.add(
          'config_conflict',
          [...here, 'name'],
          '`id` is the id of the message.',
          'Give the field another name.',
        );
      }
    }
    const open = takesRest(field);
    const tail = open || field.optional === true;
    const behind = tail && around.region === undefined ? fields.slice(index + 1) : [];
    const restPossible =
      around.restPossible &&
      behind.every(
        (each) => (!open && (each.optional === true || takesRest(each))) || isFixed(each, around.protocol),
      );
    if (field.optional === true && !restPossible) {
      findings.add(
        'config_conflict',
        [...here, 'optional'],
        'Nothing shows whether the field is there: what stands behind it has no fixed length.',
        'Only fields at the end may be missing, with fields of a fixed length behind them.',
      );
    }
    // The map grows with each field: a reader sees the fields in front.
    lintField(field, here, { ...around, earlier, restPossible }, own, fields.slice(index + 1));
    if (field.type === 'crc') {
      lintChecksum(
        field,
        here,
        { ...around, earlier },
        fields.slice(index + 1).map((each) => each.name),
      );
    }
    const before = fields[index - 1];
    if (
      field.type === 'bit' &&
      before?.type !== 'bit' &&
      !(before?.type === 'reserved' && before.when === undefined)
    ) {
      findings.add(
        'config_bad_value',
        here,
        'A bit belongs to a byte in front of it.',
        'Put `{ type: reserved, length: 1 }` in front of it.',
      );
    }
    if (name !== undefined) {
      own.set(name, field);
      earlier.set(name, field);
    }
  }
}

/** Whether a field is always there and always as long. */
function isFixed(field: FieldDeclaration, protocol: ProtocolDeclaration): boolean {
  if (field.when !== undefined || field.optional === true || takesRest(field)) return false;
  const codec = compileField(field, sizingScope(protocol));
  return codec.min === codec.max;
}

function lintField(
  field: FieldDeclaration,
  path: Path,
  around: Surroundings,
  own: ReadonlyMap<string, FieldDeclaration>,
  behind: readonly FieldDeclaration[] = [],
): void {
  const { findings, protocol } = around;
  const { type } = field;
  const number = isNamedType(type) ? undefined : parseNumberType(type, protocol.byteOrder);
  const { keys, coded = false } = fieldType(type);
  if (number === undefined && !isNamedType(type)) {
    findings.add(
      'config_bad_value',
      [...path, 'type'],
      `There is no type \`${type}\`.`,
      `There are u8 to u64 and i8 to i64 in steps of 8, f16, f32, f64 (each also with le or be, 32 and 64 bits with cdab or badc), ${Object.keys(
        FIELD_TYPES,
      )
        .join(', ')
        .replace(/, (?=\w+$)/, ' and ')}.`,
    );
    return;
  }
  for (const key of Object.keys(field) as (keyof FieldDeclaration)[]) {
    if (field[key] === undefined || keys.includes(key) || isColumnKey(key, around.region)) continue;
    const written = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    findings.add(
      'config_no_effect',
      [...path, written],
      `\`${written}\` has no meaning for \`type: ${type}\`.`,
      'Remove it.',
    );
  }
  lintColumn(field, number !== undefined || coded, path, around);
  if (field.when !== undefined) lintCondition(field.when, [...path, 'when'], around);
  if (number !== undefined) lintNumber(field, number, protocol.enums, path, findings);
  lintReferredNumber(field, path, { ...around, behind });
  if (coded) lintCoded(field, protocol.enums, path, findings);
  switch (type) {
    case 'number':
    case 'hex_number':
    case 'time':
      lintContent(field, path, around, own);
      lintCoded(field, protocol.enums, path, findings);
      break;
    case 'text':
    case 'bytes':
      lintContent(field, path, around, own);
      break;
    case 'array':
      lintArray(field, path, around, own);
      break;
    case 'struct':
      if ((field.fields ?? []).length === 0 && field.columns === undefined) {
        findings.add('config_missing_key', path, 'The structure has no fields.', 'Add `fields:`.');
      }
      lintSplit(field, field.fields ?? [], path, findings, field.length !== undefined);
      lintFields(
        field.fields ?? [],
        [...path, 'fields'],
        within(field, lintMeasured(field, path, around, own)),
      );
      break;
    case 'switch':
      lintSwitch(field, path, lintMeasured(field, path, around, own), lintFields);
      break;
    case 'tlv':
      lintTlv(field, path, around, own, lintFields);
      break;
    case 'reserved':
      if (
        field.length !== undefined &&
        !(isCount(field.length) && field.length > 0 && field.length <= protocol.maxFrame)
      ) {
        findings.add(
          'config_bad_value',
          [...path, 'length'],
          'Reserved bytes have a fixed length, and fit into a frame.',
          'Write how many bytes they are.',
        );
      }
      break;
  }
}

function lintContent(
  field: FieldDeclaration,
  path: Path,
  around: Surroundings,
  own: ReadonlyMap<string, FieldDeclaration>,
): void {
  const { findings } = around;
  const { type, length, terminator, value, encoding = 'utf8', pad } = field;
  if (type === 'text' && field.enum !== undefined) lintTextNames(field, path, around);
  if (value !== undefined) lintConstant(field, path, findings);
  else if (length === undefined && terminator === undefined) {
    // A column ends where its separator stands.
    if (around.region !== undefined) return;
    const also = isTextType(type) ? ', or `terminator: 0`' : '';
    findings.add(
      'config_missing_key',
      path,
      'Nothing says where the field ends.',
      `Add \`length:\` with a number, a type such as u8, { field: x } or rest${also}.`,
    );
    return;
  }
  const fixed = typeof length === 'number' && value === undefined;
  if (length !== undefined && !fixed && terminator !== undefined) {
    findings.add(
      'config_conflict',
      [...path, 'terminator'],
      'The text has a length already, and that is not fixed.',
      'Remove one of the two, or write the length as a number.',
    );
  }
  if (terminator !== undefined && !isByte(terminator)) {
    findings.add('config_bad_value', [...path, 'terminator'], 'A terminator is a byte.', 'Write 0 to 255.');
  }
  if (pad !== undefined && (!isByte(pad) || typeof length !== 'number')) {
    findings.add(
      'config_no_effect',
      [...path, 'pad'],
      'Only text of a fixed length is filled up, with one byte.',
      'Remove it, or write 0 to 255.',
    );
  }
  if (field.align !== undefined && typeof length !== 'number') {
    findings.add(
      'config_no_effect',
      [...path, 'align'],
      'Only text of a fixed length stands at one of its ends.',
      'Remove it, or write the length as a number.',
    );
  }
  if (encoding.startsWith('utf16') && typeof length === 'number' && length % 2 !== 0) {
    findings.add(
      'config_bad_value',
      [...path, 'length'],
      `Text in ${encoding} has an even number of bytes.`,
      `Write ${length + 1}.`,
    );
  }
  if (length !== undefined && (value === undefined || typeof length === 'number')) {
    lintExtent(length, [...path, 'length'], around, own);
  }
}

function lintArray(
  field: FieldDeclaration,
  path: Path,
  around: Surroundings,
  own: ReadonlyMap<string, FieldDeclaration>,
): void {
  const { findings, protocol } = around;
  const { count, of } = field;
  const split = isSplit(field);
  const inner = split ? within(field, around) : around;
  lintSplit(field, undefined, path, findings);
  lintUntil(field, path, around);
  if (field.length !== undefined) lintMeasured(field, path, around, own);
  const endless = split || field.until !== undefined || field.length !== undefined;
  if (count === undefined && endless) {
    // Its elements go up to the end of its text or bytes, or to what ends the list.
  } else if (count === undefined) {
    findings.add(
      'config_missing_key',
      path,
      'Nothing says how many elements there are.',
      'Add `count:` with a number, a type such as u8, { field: x } or rest.',
    );
  } else lintExtent(count, [...path, 'count'], around, own);
  if (of === undefined) {
    findings.add(
      'config_missing_key',
      path,
      'Nothing says what the elements are.',
      'Add for example `of: { type: i16 }`.',
    );
    return;
  }
  const here = [...path, 'of'];
  const before = findings.errors;
  for (const key of ['name', 'when', 'optional'] as const) {
    if (of[key] !== undefined)
      findings.add('config_no_effect', [...here, key], `Elements have no \`${key}\`.`, 'Remove it.');
  }
  if (of.value !== undefined || of.type === 'crc' || of.type === 'reserved') {
    findings.add(
      'config_bad_value',
      here,
      'Elements without a value of their own cannot be listed.',
      'Use `reserved` instead of the array.',
    );
  }
  const limited = of.type === 'struct' ? limitedIn(of) : undefined;
  if (limited !== undefined) {
    findings.add(
      'config_no_effect',
      here,
      `The limits of \`${limited}\` are not watched in the structures of an array.`,
      'Remove them, or declare an array of these numbers alone.',
      'warning',
    );
  }
  lintField(of, here, { ...inner, restPossible: inner.region !== undefined }, new Map());
  if (findings.errors > before || inner.region !== undefined) return;
  if (compileField(of, sizingScope(protocol)).min < 1) {
    findings.add(
      'config_bad_value',
      here,
      'An element may have no bytes at all, and could be counted for ever.',
      'Let every element have at least one byte that is always there.',
    );
  }
}

/** The first field of a structure, or of those in it, that has limits. */
function limitedIn({ fields = [] }: FieldDeclaration): string | undefined {
  for (const { name, limits, fields: inner, of } of fields) {
    if (limits !== undefined || of?.limits !== undefined) return name;
    const found = limitedIn({ type: 'struct', fields: [...(inner ?? []), ...(of?.fields ?? [])] });
    if (found !== undefined) return found;
  }
  return undefined;
}

const isByte = (value: number): boolean => isCount(value) && value <= 255;
