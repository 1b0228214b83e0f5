import { aheadOf } from './ahead.ts';
import { arrayField } from './array-field.ts';
import { autoColumns } from './auto-columns.ts';
import { bitsField } from './bits-field.ts';
import { reservedField } from './bytes-field.ts';
import { frontChecksum } from './checksum-field.ts';
import { codedField, isCoded } from './coded-field.ts';
import { columnField, isColumnField, skippedColumn } from './column-field.ts';
import { type Presence, presence, textOfName } from './condition.ts';
import { constantNumber } from './constant-field.ts';
import type { FieldDeclaration, SplitDeclaration } from './declaration.ts';
import { type EnumNames, enumNames } from './enum-names.ts';
import { extentCodec } from './extent.ts';
import type { FieldCodec, Scope, Target, TextNumbers } from './field-codec.ts';
import { countedIn, fieldsWithin } from './field-references.ts';
import { fieldType } from './field-types.ts';
import { floatField } from './float-field.ts';
import { freeColumns } from './free-columns.ts';
import { type KeyedMember, keyedField } from './keyed-field.ts';
import { measuredField } from './measured-field.ts';
import { numberField } from './number-field.ts';
import { loaderOf, parseNumberType, parseWhole, storerOf } from './number-type.ts';
import { optionalField } from './optional-field.ts';
import { type Split, splitOf } from './split.ts';
import { splitField } from './split-field.ts';
import { type Member, structField } from './struct-field.ts';
import { switchField } from './switch-field.ts';
import { decodeText } from './text-code.ts';
import { tlvField } from './tlv-field.ts';
import { wideField } from './wide-field.ts';

/** A field that is made by the compiler itself: the id, the error code. */
export interface FixedMember {
  readonly name: string;
  readonly codec: FieldCodec;
  /** A text that ends in something else than the separator of the columns behind it. */
  readonly ended?: boolean;
}

/** Members that stand among the declared fields at an offset of the payload. */
export interface Head {
  readonly at: number;
  readonly members: readonly FixedMember[];
  /** Fields behind it are present only where this holds. */
  readonly guard?: Presence;
  /** The bits that it has of the number in front of it. */
  readonly takes?: bigint;
}

const NONE_AHEAD: Scope['ahead'] = new Map();

/** Compiles fields in the order of the wire. */
export function compileFields(
  fields: readonly FieldDeclaration[],
  outer: Scope,
  heads: readonly Head[] = [],
): readonly Member[] {
  const targets = new Map<string, Target>(outer.targets);
  const marks = new Map<string, number>(outer.marks);
  const members: Member[] = [];
  const markOf = (name: string): number => {
    if (!outer.covered.has(name)) return -1;
    const mark = outer.next.mark++;
    marks.set(name, mark);
    return mark;
  };
  const addFixed = ({ name, codec }: FixedMember): void => {
    members.push({
      name,
      codec,
      present: undefined,
      mark: markOf(name),
      slot: -1,
      unit: undefined,
      counts: undefined,
    });
  };
  const counted = countedIn(fields);
  const ends: FixedMember[] = [];
  const ahead = aheadOf(fields, members, outer.byteOrder);
  const early = new Map(
    [...ahead.values()].flatMap((each) =>
      [...each].map(([name, { declaration }]) => [name, declaration.value]),
    ),
  );
  let offset = 0;
  let guard: Presence | undefined;
  const left = heads.toSorted((a, b) => a.at - b.at);
  const addHead = (): void => {
    const head = left.shift();
    guard = both(guard, head?.guard);
    for (const each of head?.members ?? []) {
      addFixed(each);
      offset += each.codec.min;
    }
  };
  for (const [index, declaration] of fields.entries()) {
    while (left[0] !== undefined && offset >= left[0].at) addHead();
    const name = declaration.name ?? `reserved_${index}`;
    const slot = outer.referred.has(name) ? outer.next.slot++ : -1;
    const texts: TextNumbers = new Map();
    const scope: Scope = {
      ...outer,
      // Both grow with each field: a reader sees the fields in front.
      targets,
      marks,
      ahead: ahead.get(name) ?? NONE_AHEAD,
      slot,
      texts,
      tail: outer.columns === undefined ? outer.tail + tailBehind(fields, index, outer) : 0,
      idBits: left.some(({ takes }) => takes !== undefined) ? takenBits(left, offset) : undefined,
      columnsBehind: fields.slice(index + 1).filter(({ optional }) => optional === true).length,
    };
    // In front of the id of a text stand fields of a fixed length, and no columns.
    const inFront = left.length > 0;
    const front =
      inFront || !isInFront(declaration, fields, index) ? undefined : frontChecksum(declaration, scope);
    if (front !== undefined) ends.push({ name, codec: front.end });
    const codec =
      front?.place ?? compileField(declaration, inFront ? { ...scope, columns: undefined } : scope);
    members.push({
      name,
      codec,
      present: both(guard, declaration.when === undefined ? undefined : presence(declaration.when, scope)),
      mark: markOf(name),
      slot,
      unit: declaration.unit,
      counts: counted.get(name),
      ...(early.has(name) ? { early: rawOfConstant(early.get(name)) } : {}),
    });
    if (slot >= 0) targets.set(name, { slot, declaration, texts });
    offset += codec.min;
  }
  while (left.length > 0) addHead();
  for (const each of ends) addFixed(each);
  return members;
}

/** Whether a checksum covers fields behind it. */
export function isInFront(
  { type, covers = [] }: FieldDeclaration,
  fields: readonly FieldDeclaration[],
  index: number,
): boolean {
  if (type !== 'crc') return false;
  return fields.slice(index + 1).some(({ name }) => name !== undefined && covers.includes(name));
}
const rawOfConstant = (value: FieldDeclaration['value']): number =>
  value === undefined ? Number.NaN : Number(parseWhole(value) ?? Number.NaN);

function both(a: Presence | undefined, b: Presence | undefined): Presence | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return (slots) => a(slots) && b(slots);
}

/** The bits that ids have of a number which begins there. */
function takenBits(heads: readonly Head[], offset: number): (bytes: number) => bigint {
  return (bytes) =>
    heads.reduce((sum, { at, takes = 0n }) => (at === offset + bytes ? sum | takes : sum), 0n);
}

/** Bytes of the fields behind one, as far as they are known; the lint has seen to it that they are where it matters. */
function tailBehind(fields: readonly FieldDeclaration[], index: number, scope: Scope): number {
  let bytes = 0;
  if (!takesRest(fields[index]) && fields[index]?.optional !== true) return 0;
  for (const each of fields.slice(index + 1)) {
    bytes += compileField(each, { ...scope, slot: -1, next: { slot: 0, mark: 0 } }).min;
  }
  return bytes;
}

/** Whether a field, or the last one in it, has no end of its own. */
export function takesRest(field: FieldDeclaration | undefined): boolean {
  if (field === undefined) return false;
  switch (field.type) {
    case 'text':
    case 'number':
    case 'hex_number':
    case 'time':
      return field.terminator === undefined && (field.length ?? 'rest') === 'rest';
    case 'bytes':
      return field.value === undefined && (field.length ?? 'rest') === 'rest';
    case 'array':
      if (field.until !== undefined) return false;
      if (field.length !== undefined) return field.length === 'rest';
      return (field.count ?? 'rest') === 'rest' || field.separator !== undefined;
    case 'tlv':
      return (field.count ?? 'rest') === 'rest';
    case 'reserved':
      return field.length === 'rest';
    case 'switch':
      if (field.length !== undefined) return field.length === 'rest';
      return fieldsWithin(field).some(takesRest);
    case 'struct':
      if (field.length !== undefined) return field.length === 'rest';
      if (field.separator !== undefined || field.keyValue !== undefined) return true;
      return (field.fields ?? []).some(takesRest);
    default:
      return false;
  }
}

/** Compiles one field. The declaration has passed the lint. */
export function compileField(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  if (scope.columns === undefined) {
    const codec = compileContent(declaration, scope);
    return declaration.optional === true ? optionalField(codec, scope.tail, scope.slot) : codec;
  }
  if (!isColumn(declaration)) return compileContent(declaration, scope);
  return columnField(declaration, compileColumn(declaration, scope, scope.columns), scope.columns, scope);
}

/** Whether a field is one column of a text, or the pair of a key; else it is made of several. */
export function isColumn({ type, separator, keyValue }: FieldDeclaration): boolean {
  return (type !== 'struct' && type !== 'array') || separator !== undefined || keyValue !== undefined;
}

/** What reads the text of one column, which ends where the column does. */
function compileColumn(declaration: FieldDeclaration, scope: Scope, { separator }: Split): FieldCodec {
  const { hemisphere } = declaration;
  const joint = hemisphere === undefined ? undefined : decodeText('utf8', separator, 0, separator.length);
  const inner = { ...scope, columns: undefined, tail: 0, joint };
  const { type, length, terminator, value } = declaration;
  if (type === 'reserved') return skippedColumn(scope.limit);
  const open = length === undefined && terminator === undefined && value === undefined;
  const ends = type !== 'struct' && type !== 'array' && type !== 'crc' && open;
  return compileContent(ends ? { ...declaration, length: 'rest' } : declaration, inner);
}

/** Fields of a structure, a message or a reply: one behind the other, or a text that is split into them. */
export function compileBody(
  fields: readonly FieldDeclaration[],
  form: SplitDeclaration,
  scope: Scope,
  heads: readonly Head[] = [],
): FieldCodec {
  const split = splitOf(form);
  if (split === undefined) return structField(compileFields(fields, scope, heads));
  const { limit, tail } = scope;
  const inner = { ...scope, tail: 0 };
  const behind = (codec: FieldCodec): FieldCodec => behindHead(compileFields([], inner, heads), codec);
  if (form.columns === 'auto') {
    const free = split.separator.length === 0 && split.keyValue.length === 0;
    const columns = free ? freeColumns(limit) : autoColumns(split, limit);
    return behind(splitField(columns, split, form, tail, limit));
  }
  if (split.keyValue.length === 0) {
    const body = structField(compileFields(fields, { ...inner, columns: split }, heads));
    return splitField(body, split, form, tail, limit);
  }
  return behind(keyedField(keyedMembers(fields, split, inner), split, form, tail, limit));
}

/** What has no values of its own, and then all that has. */
function behindHead(head: readonly Member[], codec: FieldCodec): FieldCodec {
  if (head.length === 0) return codec;
  return {
    ...codec,
    min: head.reduce((sum, each) => sum + each.codec.min, codec.min),
    read(reading) {
      for (const { codec: fixed, name } of head) {
        fixed.read(reading);
        if (reading.failure === undefined) continue;
        reading.failure.field = name;
        return undefined;
      }
      return codec.read(reading);
    },
    check: (reading) => head.every((each) => each.codec.check(reading)) && codec.check(reading),
    write(writing, value) {
      for (const { codec: fixed } of head) fixed.write(writing, undefined);
      codec.write(writing, value);
    },
  };
}

function keyedMembers(
  fields: readonly FieldDeclaration[],
  split: Split,
  scope: Scope,
): readonly KeyedMember[] {
  return compileFields(fields, { ...scope, columns: split }).flatMap((member, index) => {
    const { codec, name } = member;
    const { key = name, optional } = fields[index] ?? {};
    return isColumnField(codec)
      ? [{ key, member, content: codec.content, required: optional === false }]
      : [];
  });
}

function compileContent(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const { type, value } = declaration;
  const { compile } = fieldType(type);
  if (compile !== undefined) return compile(declaration, scope);
  switch (type) {
    case 'array':
      return compileArray(declaration, scope);
    case 'struct':
      return measured(declaration, scope, (inner) =>
        compileBody(declaration.fields ?? [], declaration, inner),
      );
    case 'switch':
      return measured(declaration, scope, (inner) => compileSwitch(declaration, inner));
    case 'tlv':
      return compileTlv(declaration, scope);
    default: {
      const number = parseNumberType(type, scope.byteOrder);
      // The lint refuses other types.
      if (number === undefined) return reservedField({ type, length: 0 }, 0);
      if (value !== undefined) return constantNumber(number, value, scope.slot);
      if (declaration.bits !== undefined) return bitsField(declaration, number, scope);
      if (isCoded(declaration)) return codedField(declaration, number, scope);
      if (number.kind === 'float') return floatField(declaration, number);
      return number.bytes > 6
        ? wideField(declaration, number, scope)
        : numberField(declaration, number, scope);
    }
  }
}

/** What has a length of its own ends there, and else where its fields end. */
function measured(
  { length, extra = 'refuse', separator, keyValue }: FieldDeclaration,
  scope: Scope,
  compile: (scope: Scope) => FieldCodec,
): FieldCodec {
  if (length === undefined) return compile(scope);
  const inner = compile({ ...scope, tail: 0 });
  const isText = separator !== undefined || keyValue !== undefined;
  return measuredField(inner, extentCodec(length, scope), isText ? 'refuse' : extra, scope.limit);
}

function compileSwitch(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const { on = '', cases = {}, else: otherwise } = declaration;
  const target = scope.targets.get(on);
  const bodyOf = (fields: readonly FieldDeclaration[]): FieldCodec =>
    structField(compileFields(fields, { ...scope, slot: -1 }));
  const names = enumNames(target?.declaration.enum, scope.enums);
  return switchField(
    Object.entries(cases).map(([value, fields]) => ({
      raw: rawOfCase(value, target, names),
      codec: bodyOf(fields),
    })),
    otherwise === undefined ? undefined : bodyOf(otherwise),
    target?.slot ?? 0,
    Object.keys(cases).join(', '),
  );
}

/** The number in the slot of the selecting field that stands for a case. */
function rawOfCase(value: string, target: Target | undefined, names: EnumNames | undefined): number {
  if (target?.declaration.type !== 'text')
    return Number(names?.rawOf(value) ?? parseWhole(value) ?? Number.NaN);
  const text = textOfName(value, target.declaration.enum);
  if (!target.texts.has(text)) target.texts.set(text, target.texts.size);
  return target.texts.get(text) ?? -1;
}

function compileTlv(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  const { tag = 'u8', length = 'u8', count, tags = {} } = declaration;
  const inner: Scope = { ...scope, slot: -1, tail: 0 };
  const type = parseNumberType(tag, scope.byteOrder) ?? {
    kind: 'int',
    bytes: 1,
    signed: false,
    little: false,
  };
  const fields = Object.entries(tags).map(([key, field]) => ({
    tag: Number(parseWhole(key) ?? -1),
    name: field.name ?? '',
    codec: compileField(field, inner),
    unit: field.unit,
    repeat: field.repeat === true,
  }));
  return tlvField(fields, {
    type,
    load: loaderOf(type),
    store: storerOf(type),
    length: extentCodec(length, inner),
    count: count === undefined || count === 'rest' ? undefined : extentCodec(count, scope),
    tail: scope.tail,
    limit: scope.limit,
  });
}

function compileArray(declaration: FieldDeclaration, scope: Scope): FieldCodec {
  if (declaration.length !== undefined) {
    const { length, ...list } = declaration;
    return measured({ ...declaration, extra: undefined }, scope, (inner) =>
      compileArray({ ...list, count: 'rest' }, inner),
    );
  }
  const of = declaration.of ?? { type: 'u8' };
  const split = splitOf(declaration);
  if (split === undefined) {
    const element = compileField(of, { ...scope, slot: -1, tail: 0, columnsBehind: 0, ahead: NONE_AHEAD });
    return arrayField(declaration, element, scope);
  }
  const element = compileField(of, { ...scope, slot: -1, tail: 0, columns: split, ahead: NONE_AHEAD });
  const list = arrayField({ ...declaration, count: declaration.count ?? 'rest' }, element, {
    ...scope,
    tail: 0,
    columnsBehind: 0,
    columns: split,
  });
  return splitField(list, split, declaration, scope.tail, scope.limit);
}
