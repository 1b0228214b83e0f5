import type { FrameShape, MessageDefinition } from '../definition.ts';
import { copyOf } from '../describe.ts';
import type { DeclaredMessage, InvalidPayload } from '../message.ts';
import { ADDRESS_MEMBER, addressField, addressForm } from './address-field.ts';
import {
  compileBody,
  compileFields,
  constantNumber,
  type FixedMember,
  type Head,
  referencesIn,
} from './compile-fields.ts';
import type {
  FieldDeclaration,
  MessageDeclaration,
  ProtocolDeclaration,
  Sender,
  SplitDeclaration,
} from './declaration.ts';
import { enumNames } from './enum-names.ts';
import type { FieldCodec, Scope } from './field-codec.ts';
import { numberField } from './number-field.ts';
import { type NumberType, parseNumberType } from './number-type.ts';
import type { FieldTrace, Reading } from './reading.ts';
import { isSplit } from './split.ts';
import { structField } from './struct-field.ts';
import type { FieldIssue, Values } from './value.ts';
import { FieldError, type Writing } from './writing.ts';

export type DeclaredKind = DeclaredMessage['kind'];

const NO_VALUES: Values = Object.freeze({});
const NO_ISSUES: readonly FieldIssue[] = Object.freeze([]);

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
  /** How its text is split into these; without a separator it is bytes. */
  readonly split: SplitDeclaration;
}

interface CompiledForm extends Form {
  readonly body: FieldCodec;
  /** The same without an id at the front, which was read already to find the message. */
  readonly behindId: FieldCodec;
  /** Bytes of that id. */
  readonly idBytes: number;
  /** The slot that holds the error code; -1 where there is none. */
  readonly errorSlot: number;
  /** The slot that holds the address; -1 where messages carry none. */
  readonly addressSlot: number;
}

/** One declared message, compiled: payloads to values and back. */
export class MessageCodec {
  readonly declaration: MessageDeclaration;
  readonly name: string;
  readonly id: number | undefined;
  /** The message itself, and its reply where it has one. */
  readonly forms: readonly [Form] | readonly [Form, Form];
  readonly #main: CompiledForm;
  readonly #reply: CompiledForm | undefined;
  readonly #errorName: (error: number) => string | undefined;
  readonly #limit: number;

  /** The declaration has passed the lint. */
  constructor(declaration: MessageDeclaration, protocol: ProtocolDeclaration) {
    this.declaration = declaration;
    this.name = declaration.name;
    this.#limit = protocol.maxFrame;
    const idType =
      protocol.id === undefined ? undefined : parseNumberType(protocol.id.type, protocol.byteOrder);
    this.id =
      idType === undefined || declaration.id === undefined ? undefined : wrapId(declaration.id, idType);
    const id =
      idType === undefined || this.id === undefined
        ? undefined
        : { name: 'id', codec: constantNumber(idType, this.id) };
    const { fields = [], reply = 'none' } = declaration;
    this.#main = compileForm(protocol, reply === 'none' ? 'notice' : 'request', fields, id, declaration);
    this.#reply =
      reply === 'none'
        ? undefined
        : compileForm(
            protocol,
            'reply',
            reply === 'status' ? [] : reply.fields,
            id,
            reply === 'status' ? {} : reply,
          );
    this.forms = this.#reply === undefined ? [this.#main] : [this.#main, this.#reply];
    const names = enumNames({ ...protocol.errors, ...declaration.errors }, {});
    this.#errorName = (error) => names?.nameOf(error);
  }

  /** The error code's name in the declaration. */
  errorName(error: number): string | undefined {
    return this.#errorName(error);
  }

  /** Whether a form may come from this side: a reply comes from the other side than its message. */
  mayComeFrom(form: Form, from: Sender | undefined): boolean {
    const { from: sender = 'any' } = this.declaration;
    if (from === undefined || from === 'any' || sender === 'any') return true;
    return (sender === from) === (form.kind !== 'reply');
  }

  /** Decodes a payload in one of its forms. */
  decode(
    form: Form,
    reading: Reading,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): DeclaredMessage | InvalidPayload {
    const compiled = form === this.#main ? this.#main : (this.#reply ?? this.#main);
    reading.begin(bytes, start, end);
    return this.#read(compiled, reading);
  }

  /** The same, with a line for every field. */
  inspect(
    form: Form,
    reading: Reading,
    bytes: Uint8Array,
  ): { readonly message: DeclaredMessage | InvalidPayload; readonly trace: readonly FieldTrace[] } {
    const compiled = form === this.#main ? this.#main : (this.#reply ?? this.#main);
    reading.begin(bytes, 0, bytes.length);
    const trace: FieldTrace[] = [];
    reading.trace = trace;
    const message = this.#read(compiled, reading);
    reading.trace = undefined;
    return { message, trace };
  }

  /**
   * Whether `decode` would find a message, without making one. Allocates nothing. `reading` says how many bytes were
   * looked at: up to `at`, and `summed` for checksums, `most` in all.
   */
  check(form: Form, reading: Reading, bytes: Uint8Array, start: number, end: number, most: number): boolean {
    const { body } = form === this.#main ? this.#main : (this.#reply ?? this.#main);
    reading.begin(bytes, start, end);
    reading.mostSummed = most - (end - start);
    return body.check(reading) && reading.at === end;
  }

  /** Whether these bytes are the front of this form, and more of it is to come. */
  begins(form: Form, reading: Reading, bytes: Uint8Array, start: number, end: number): boolean {
    const { body } = form === this.#main ? this.#main : (this.#reply ?? this.#main);
    reading.begin(bytes, start, end);
    body.read(reading);
    return reading.failure?.reason === 'too_short';
  }

  #read(form: CompiledForm, reading: Reading): DeclaredMessage | InvalidPayload {
    const whole = reading.trace !== undefined;
    if (!whole) reading.at += form.idBytes;
    // A structure reads to values, or fails.
    const fields = (whole ? form.body : form.behindId).read(reading) as Values | undefined;
    if (reading.failure !== undefined || fields === undefined) return this.#invalid(form, reading);
    if (reading.at !== reading.end) {
      reading.fail({
        reason: 'too_long',
        field: 'length',
        offset: reading.at - reading.origin,
        expected: `the end of the message after ${reading.at - reading.origin} bytes`,
        seen: `${reading.end - reading.at} more`,
        needed: reading.at - reading.origin,
        available: reading.end - reading.origin,
      });
      return this.#invalid(form, reading);
    }
    const raw = (reading.raw as Values | undefined) ?? NO_VALUES; // as for `fields`
    const issues = reading.issues ?? NO_ISSUES;
    const { kind } = form;
    if (form.addressSlot >= 0) return this.#addressed(form, reading, { fields, raw, issues });
    if (kind !== 'reply') {
      if (this.id === undefined) return { name: 'declared', message: this.name, kind, fields, raw, issues };
      return { name: 'declared', message: this.name, kind, id: this.id, fields, raw, issues };
    }
    const error = form.errorSlot < 0 ? 0 : (reading.slots[form.errorSlot] ?? 0);
    const errorName = error === 0 ? undefined : this.#errorName(error);
    return {
      name: 'declared',
      message: this.name,
      kind,
      ...(this.id === undefined ? {} : { id: this.id }),
      error,
      ...(errorName === undefined ? {} : { errorName }),
      fields,
      raw,
      issues,
    };
  }

  /** The same of a protocol whose messages carry the address of a device. */
  #addressed(
    { kind, errorSlot, addressSlot }: CompiledForm,
    { slots }: Reading,
    content: { readonly fields: Values; readonly raw: Values; readonly issues: readonly FieldIssue[] },
  ): DeclaredMessage {
    const id = this.id === undefined ? {} : { id: this.id };
    const head = { name: 'declared', message: this.name, address: slots[addressSlot] ?? 0, ...id } as const;
    if (kind !== 'reply') return { ...head, kind, ...content };
    const error = errorSlot < 0 ? 0 : (slots[errorSlot] ?? 0);
    const errorName = error === 0 ? undefined : this.#errorName(error);
    return { ...head, kind, error, ...(errorName === undefined ? {} : { errorName }), ...content };
  }

  #invalid(form: CompiledForm, reading: Reading): InvalidPayload {
    const { failure } = reading;
    return {
      name: 'invalid',
      kind: form.kind,
      message: this.name,
      field: failure?.field ?? '',
      offset: failure?.offset ?? 0,
      expected: failure?.expected ?? '',
      seen: failure?.seen ?? '',
      ...(failure === undefined ? {} : { reason: failure.reason }),
      ...(failure?.needed === undefined ? {} : { needed: failure.needed }),
      ...(failure?.available === undefined ? {} : { available: failure.available }),
      payload: copyOf(reading.bytes, reading.origin, reading.end),
    };
  }

  /** Encodes the message itself, as a payload. @throws HeartwireError `bad_field_value` */
  encode(writing: Writing, fields: Values): Uint8Array {
    return this.#write(this.#main, writing, fields);
  }

  /** Encodes a reply to it, as a payload; fields go with success only. @throws HeartwireError */
  encodeReply(writing: Writing, error: number, fields: Values): Uint8Array {
    const form = this.#reply;
    if (form === undefined) {
      throw new FieldError('no reply is declared', 'a reply').toHeartwireError(this.name);
    }
    if (form.errorSlot >= 0) writing.slots[form.errorSlot] = error;
    else if (error !== 0) {
      throw new FieldError('replies of this protocol carry no error code', `${error}`).toHeartwireError(
        this.name,
      );
    }
    return this.#write(form, writing, fields);
  }

  #write(form: CompiledForm, writing: Writing, fields: Values): Uint8Array {
    writing.begin(this.#limit);
    try {
      form.body.write(writing, fields);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      throw error.toHeartwireError(this.name);
    }
    return writing.finish();
  }

  /** As the decoders of the built-in framing know it; only where the id is one byte at the front. */
  toDefinition(
    decode: MessageDefinition['decode'],
    passes: number,
    check: FrameShape['check'],
  ): MessageDefinition {
    return {
      name: this.name,
      id: ((this.id ?? 0) << 24) >> 24,
      anyLength: true,
      decode,
      shapes: this.forms.map((form) => ({
        message: this.name,
        kind: form.kind === 'reply' ? 'reply' : 'request',
        minLength: form.minLength,
        maxLength: form.maxLength,
        content: 'content as declared',
        weak: !form.proven,
        passes,
        check,
      })),
    };
  }
}

/** 0xF0 and -16 are the same id of one byte; which of the two it is depends on the type. */
export function wrapId(id: number, type: NumberType): number {
  const bits = type.bytes * 8;
  return Number(type.signed ? BigInt.asIntN(bits, BigInt(id)) : BigInt.asUintN(bits, BigInt(id)));
}

function compileForm(
  protocol: ProtocolDeclaration,
  kind: DeclaredKind,
  fields: readonly FieldDeclaration[],
  id: FixedMember | undefined,
  split: SplitDeclaration,
): CompiledForm {
  const { referred, covered } = referencesIn(fields);
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
  if (isSplit(split)) {
    const form = splitForm(fields, split, scope, heads);
    return { ...form, kind, errorSlot, addressSlot, fields, split };
  }
  const compiled = compileFields(fields, scope, heads);
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
    minLength: body.min,
    maxLength: Math.min(body.max, protocol.maxFrame),
    passes: 1 + checksumsIn(fields),
    proven: fields.some(({ type, value }) => type === 'crc' || value !== undefined),
    proofBits: compiled.reduce((sum, { codec, present }) => {
      const proves = codec.silent === 'constant' || codec.silent === 'checksum';
      return sum + (proves && present === undefined ? 8 * codec.min : 0);
    }, 0),
    fields,
    split,
  };
}

/** The form of a text; its id, and what stands in front of that, is its first column. */
function splitForm(
  fields: readonly FieldDeclaration[],
  split: SplitDeclaration,
  scope: Scope,
  heads: readonly Head[],
): Omit<CompiledForm, 'kind' | 'fields' | 'split' | 'errorSlot' | 'addressSlot'> {
  const columns = heads.map((head) => ({
    ...head,
    members: head.members.map(({ name, codec }) => ({ name, codec: asColumn(codec) })),
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
  return fields.reduce((sum, { type, fields: inner = [], of }) => {
    const own = type === 'crc' ? 1 : checksumsIn(inner);
    return sum + own + (of !== undefined && checksumsIn([of]) > 0 ? Number.POSITIVE_INFINITY : 0);
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
