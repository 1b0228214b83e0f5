import type { DeclaredMessage } from '../message.ts';
import { ADDRESS_MEMBER, addressField, addressForm } from './address-field.ts';
import { compileBody, compileFields, type FixedMember, type Head } from './compile-fields.ts';
import { constantNumber } from './constant-field.ts';
import type {
  FieldDeclaration,
  MessageDeclaration,
  ProtocolDeclaration,
  SplitDeclaration,
} from './declaration.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { fieldsWithin, referencesIn } from './field-references.ts';
import { numberField } from './number-field.ts';
import { type NumberType, parseNumberType } from './number-type.ts';
import { selectorHeads } from './selector.ts';
import { isSplit } from './split.ts';
import { EXTRA } from './split-field.ts';
import { structField } from './struct-field.ts';

export type DeclaredKind = DeclaredMessage['kind'];

/** One form of a message on the wire. */
export interface Form {
  readonly kind: DeclaredKind;
  readonly minLength: number;
  readonly maxLength: number;
  /** Carries a checksum or a constant beside its id, so that a coincidence is unlikely. */
  readonly proven: boolean;
  /** Bits of its id, constants and checksums, which what is none can only have by chance. */
  readonly proofBits: number;
  /** So many times a check looks at each byte at most: once for the fields, once for every checksum. */
  readonly passes: number;
  readonly fields: readonly FieldDeclaration[];
  /** That of the message, or another one of its reply. */
  readonly id: number | undefined;
  /** How its text is split into these; without a separator it is bytes. */
  readonly split: SplitDeclaration;
}

/** A form with what reads and writes it. */
export interface CompiledForm extends Form {
  readonly body: FieldCodec;
  /** The same without an id at the front, which was read already to find the message. */
  readonly behindId: FieldCodec;
  /** Bytes of that id. */
  readonly idBytes: number;
  /** The slot that holds the error code; -1 where there is none. */
  readonly errorSlot: number;
  /** Shorter payloads are read with zeros at the end; 0 where they are not. */
  readonly padTo: number;
  /** Zeros at the end behind so many bytes are not sent; -1 where they are. */
  readonly keepTo: number;
  /** The slot that holds the address; -1 where messages carry none. */
  readonly addressSlot: number;
}

type IdMember = FixedMember & { readonly value: number };

/** The id among the members of a form; undefined where it has none. */
export const idMember = (value: number | undefined, type: NumberType | undefined): IdMember | undefined =>
  value === undefined || type === undefined
    ? undefined
    : { name: 'id', codec: constantNumber(type, value), value };

/** Compiles one form of a message. The declaration has passed the lint. */
export function compileForm(
  protocol: ProtocolDeclaration,
  kind: DeclaredKind,
  fields: readonly FieldDeclaration[],
  id: IdMember | undefined,
  split: SplitDeclaration,
  message: MessageDeclaration,
): CompiledForm {
  const listed = isSplit(split) ? fields : withExtra(fields, split.extra);
  const { referred, covered } = referencesIn(listed);
  const next = { slot: 0, mark: 0 };
  const errorType =
    kind === 'reply' && protocol.error !== undefined
      ? parseNumberType(protocol.error, protocol.byteOrder)
      : undefined;
  const errorSlot = errorType === undefined ? -1 : next.slot++;
  const address = protocol.address && addressForm(protocol.address, protocol.byteOrder);
  const addressSlot = address === undefined ? -1 : next.slot++;
  const scope: Scope = {
    byteOrder: protocol.byteOrder,
    enums: protocol.enums,
    limit: protocol.maxFrame,
    referred,
    covered,
    targets: new Map(),
    marks: new Map(),
    next,
    tail: 0,
    slot: -1,
    ahead: new Map(),
  };
  const members: FixedMember[] = id === undefined ? [] : [id];
  if (errorType !== undefined)
    members.push({ name: 'error', codec: errorCodec(errorType, scope, errorSlot) });
  const heads: Head[] = [
    {
      at: protocol.id?.at ?? 0,
      members,
      ...(errorSlot < 0 ? {} : { guard: (slots) => slots[errorSlot] === 0 }),
    },
  ];
  if (address !== undefined) {
    const codec = addressField(address, protocol.address?.value, addressSlot);
    heads.unshift({ at: protocol.address?.at ?? 0, members: [{ name: ADDRESS_MEMBER, codec }] });
  }
  heads.push(...selectorHeads(protocol, message, split.separator));
  if (isSplit(split)) {
    const form = splitForm(fields, split, scope, heads);
    return { ...form, kind, errorSlot, addressSlot, fields, split, id: id?.value };
  }
  const compiled = compileFields(listed, scope, heads);
  const body = structField(compiled);
  const [first, ...others] = compiled;
  const skipsId = id !== undefined && first?.name === 'id' && first.mark < 0 && protocol.id?.at === 0;
  return {
    kind,
    body,
    behindId: skipsId ? structField(others) : body,
    idBytes: skipsId ? id.codec.min : 0,
    errorSlot,
    addressSlot,
    ...zeroTail(protocol, heads, body.min),
    maxLength: Math.min(body.max, protocol.maxFrame),
    passes: 1 + checksumsIn(fields),
    proven: fields.some(({ type, value }) => type === 'crc' || value !== undefined),
    proofBits: compiled.reduce((sum, { codec, present }) => {
      const proves = codec.silent === 'constant' || codec.silent === 'checksum';
      return sum + (proves && present === undefined ? 8 * codec.min : 0);
    }, 0),
    fields,
    split,
    id: id?.value,
  };
}

/** How short a payload may be, and what stands for the bytes that are not there. */
function zeroTail(
  { zeroTail: tail }: ProtocolDeclaration,
  heads: readonly Head[],
  min: number,
): Pick<CompiledForm, 'minLength' | 'padTo' | 'keepTo'> {
  if (tail === undefined) return { minLength: min, padTo: 0, keepTo: -1 };
  const head = heads.reduce((most, { at, members }) => {
    return Math.max(most, at + members.reduce((sum, { codec }) => sum + codec.min, 0));
  }, 0);
  return { minLength: Math.min(min, head), padTo: min, keepTo: tail === 'drop' ? head + 1 : -1 };
}

/** The fields with what may stand behind them: in front of the checksums at the end. */
function withExtra(
  fields: readonly FieldDeclaration[],
  extra: SplitDeclaration['extra'] = 'refuse',
): readonly FieldDeclaration[] {
  if (extra === 'refuse') return fields;
  const behind = fields.findLastIndex(({ type }) => type !== 'crc') + 1;
  const type = extra === 'keep' ? 'bytes' : 'reserved';
  return fields.toSpliced(behind, 0, { name: EXTRA, type, length: 'rest', optional: true });
}

/** The form of a text; its id, and what stands in front of that, is its first column. */
function splitForm(
  fields: readonly FieldDeclaration[],
  split: SplitDeclaration,
  scope: Scope,
  heads: readonly Head[],
): Omit<CompiledForm, 'kind' | 'fields' | 'id' | 'split' | 'errorSlot' | 'addressSlot'> {
  const columns = heads.map((head) => ({
    ...head,
    members: head.members.map((each) =>
      each.ended === true ? each : { ...each, codec: asColumn(each.codec) },
    ),
  }));
  const body = compileBody(fields, split, scope, columns);
  const fixed = [...fields, ...fields.flatMap(({ of }) => of ?? [])];
  const constants = fixed.reduce((sum, { value, prefix, suffix }) => {
    return (
      sum + (value === undefined ? 0 : String(value).length) + (prefix?.length ?? 0) + (suffix?.length ?? 0)
    );
  }, 0);
  const idBytes = heads.flatMap(({ members }) => members).reduce((sum, { codec }) => sum + codec.min, 0);
  return {
    body,
    behindId: body,
    idBytes: 0,
    minLength: idBytes,
    maxLength: scope.limit,
    padTo: 0,
    keepTo: -1,
    passes: 2 + checksumsIn(fields),
    proven: constants > 0,
    proofBits: 8 * (constants + idBytes),
  };
}

/** The id counts as a column, so that a separator stands behind it. */
function asColumn(codec: FieldCodec): FieldCodec {
  return {
    ...codec,
    read(reading) {
      reading.column = 1;
      return codec.read(reading);
    },
    check(reading) {
      reading.column = 1;
      return codec.check(reading);
    },
    write(writing, value) {
      writing.column = 1;
      codec.write(writing, value);
    },
  };
}

/** Checksums that are computed for one message; any number in an array. */
function checksumsIn(fields: readonly FieldDeclaration[]): number {
  return fields.reduce((sum, field) => {
    if (field.type === 'crc') return sum + 1;
    const within = checksumsIn(fieldsWithin(field));
    const often = within > 0 && (field.of !== undefined || field.tags !== undefined);
    return sum + (often ? Number.POSITIVE_INFINITY : within);
  }, 0);
}

/** The error code of a reply, which stands beside the fields. */
function errorCodec(type: NumberType, scope: Scope, slot: number): FieldCodec {
  const codec = numberField({ type: 'i8' }, type, { ...scope, slot });
  return {
    ...codec,
    silent: 'error code',
    read(reading) {
      codec.read(reading);
      return undefined;
    },
    write: (writing) => codec.write(writing, writing.slots[slot] ?? 0),
  };
}
