import type { FrameShape, MessageDefinition } from '../definition.ts';
import { copyOf } from '../describe.ts';
import type { DeclaredMessage, InvalidPayload } from '../message.ts';
import type { MessageDeclaration, ProtocolDeclaration, Sender } from './declaration.ts';
import { enumNames } from './enum-names.ts';
import { type CompiledForm, compileForm, type Form, idMember } from './message-form.ts';
import { replyIdOf, wrapId } from './message-id.ts';
import { parseNumberType } from './number-type.ts';
import { type FieldTrace, Reading } from './reading.ts';
import type { FieldIssue, Values } from './value.ts';
import { FieldError, type Writing } from './writing.ts';

const NO_VALUES: Values = Object.freeze({});
const NO_ISSUES: readonly FieldIssue[] = Object.freeze([]);

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
  /** Messages have their bytes with them, for the checksum of a group. */
  readonly #keepsPayload: boolean;

  /** The declaration has passed the lint. */
  constructor(declaration: MessageDeclaration, protocol: ProtocolDeclaration) {
    this.declaration = declaration;
    this.name = declaration.name;
    this.#limit = protocol.maxFrame;
    this.#keepsPayload = protocol.messages.some(
      ({ assemble }) => assemble?.checksum !== undefined && assemble.parts.includes(declaration.name),
    );
    const idType =
      protocol.id === undefined ? undefined : parseNumberType(protocol.id.type, protocol.byteOrder);
    this.id =
      idType === undefined || declaration.id === undefined ? undefined : wrapId(declaration.id, idType);
    const id = idMember(this.id, idType);
    const replyId = idMember(replyIdOf(declaration, protocol), idType);
    const { fields = [], reply = 'none' } = declaration;
    this.#main = compileForm(
      protocol,
      reply === 'none' ? 'notice' : 'request',
      fields,
      id,
      declaration,
      declaration,
    );
    this.#reply =
      reply === 'none'
        ? undefined
        : compileForm(
            protocol,
            'reply',
            reply === 'status' ? [] : reply.fields,
            replyId,
            reply === 'status' ? {} : reply,
            declaration,
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
    const { from: sender = 'any', assemble } = this.declaration;
    if (assemble !== undefined) return false;
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
    this.#begin(compiled, reading, bytes, start, end);
    const message = this.#read(compiled, reading);
    if (!this.#keepsPayload || message.name !== 'declared') return message;
    return { ...message, payload: copyOf(bytes, start, end) };
  }

  /** The values of a payload alone; undefined where it is none, of which `decode` says why. */
  values(form: Form, reading: Reading, bytes: Uint8Array, start: number, end: number): Values | undefined {
    const compiled = form === this.#main ? this.#main : (this.#reply ?? this.#main);
    this.#begin(compiled, reading, bytes, start, end);
    reading.at += compiled.idBytes;
    const fields = compiled.behindId.read(reading) as Values | undefined; // as in #read
    return reading.failure === undefined && reading.at === reading.end ? fields : undefined;
  }

  /**
   * Decodes a message that says itself where it ends, from the front of some bytes; `end` is where it ended. Undefined
   * where more bytes are needed.
   */
  decodeFront(
    reading: Reading,
    bytes: Uint8Array,
  ): { readonly message: DeclaredMessage | InvalidPayload; readonly end: number } | undefined {
    reading.begin(bytes, 0, bytes.length);
    const fields = this.#main.body.read(reading) as Values | undefined; // as in #read
    if (fields !== undefined && reading.failure === undefined) {
      const end = reading.at;
      return { message: this.decode(this.#main, reading, bytes, 0, end), end };
    }
    if (reading.failure?.reason === 'too_short') return undefined;
    return { message: this.#invalid(this.#main, reading), end: 0 };
  }

  /** Decodes one form, with a line for every field. */
  inspect(
    form: Form,
    reading: Reading,
    bytes: Uint8Array,
  ): { readonly message: DeclaredMessage | InvalidPayload; readonly trace: readonly FieldTrace[] } {
    const compiled = form === this.#main ? this.#main : (this.#reply ?? this.#main);
    this.#begin(compiled, reading, bytes, 0, bytes.length);
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
    const compiled = form === this.#main ? this.#main : (this.#reply ?? this.#main);
    const { body } = compiled;
    this.#begin(compiled, reading, bytes, start, end);
    reading.mostSummed = most - (end - start);
    return body.check(reading) && reading.at === reading.end;
  }

  /** Whether these bytes are the front of this form, and more of it is to come. */
  begins(form: Form, reading: Reading, bytes: Uint8Array, start: number, end: number): boolean {
    const { body } = form === this.#main ? this.#main : (this.#reply ?? this.#main);
    reading.begin(bytes, start, end);
    body.read(reading);
    return reading.failure?.reason === 'too_short';
  }

  /** Whether these bytes are a whole reply, which ends there whatever follows: with one byte more, it takes no more. */
  replyEnds(bytes: Uint8Array, start: number, end: number): boolean {
    const form = this.#reply;
    const length = end - start;
    if (form === undefined || length < form.minLength || length > form.maxLength) return false;
    const longer = new Uint8Array(length + 1);
    longer.set(bytes.subarray(start, end));
    const reading = new Reading();
    reading.begin(longer, 0, longer.length);
    reading.mostSummed = longer.length * (form.passes + 1);
    return form.body.check(reading) && reading.at === length;
  }

  /** Zeros stand for what a sender has cut off at the end. */
  #begin(form: CompiledForm, reading: Reading, bytes: Uint8Array, start: number, end: number): void {
    const lacking = form.padTo - (end - start);
    if (lacking <= 0) {
      reading.begin(bytes, start, end);
      return;
    }
    const padded = new Uint8Array(form.padTo);
    padded.set(bytes.subarray(start, end));
    reading.begin(padded, 0, padded.length);
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
    const { id } = form;
    const message = this.name;
    // Most replies pass here, and spreads cost as much as all the rest.
    if (id !== undefined && errorName === undefined)
      return { name: 'declared', message, kind, id, error, fields, raw, issues };
    const named = errorName === undefined ? {} : { errorName };
    return {
      name: 'declared',
      message,
      kind,
      ...(id === undefined ? {} : { id }),
      error,
      ...named,
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

  /** Encodes the message itself, as a payload behind so much room. @throws HeartwireError `bad_field_value` */
  encode(writing: Writing, fields: Values, room = 0): Uint8Array {
    return this.#write(this.#main, writing, fields, room);
  }

  /** Encodes a reply to it, as a payload; fields go with success only. @throws HeartwireError */
  encodeReply(writing: Writing, error: number, fields: Values, room = 0): Uint8Array {
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
    return this.#write(form, writing, fields, room);
  }

  #write(form: CompiledForm, writing: Writing, fields: Values, room: number): Uint8Array {
    writing.begin(this.#limit);
    const { assemble } = this.declaration;
    try {
      if (assemble !== undefined)
        throw new FieldError(
          `is a group of several messages; encode ${assemble.parts.join(', ')}`,
          this.name,
        );
      form.body.write(writing, fields);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      throw error.toHeartwireError(this.name);
    }
    const zeros = form.keepTo >= 0;
    while (zeros && writing.at > form.keepTo && writing.bytes[writing.at - 1] === 0) writing.at--;
    return writing.finish(room);
  }

  /** As the decoders of the built-in framing know it; only where the id is one byte at the front. */
  toDefinitions(
    decode: MessageDefinition['decode'],
    passes: number,
    check: FrameShape['check'],
  ): readonly MessageDefinition[] {
    return [...new Set(this.forms.map((form) => form.id))].map((id) => ({
      name: this.name,
      id: ((id ?? 0) << 24) >> 24,
      anyLength: true,
      decode,
      shapes: this.forms
        .filter((form) => form.id === id)
        .map((form) => ({
          message: this.name,
          kind: form.kind === 'reply' ? 'reply' : 'request',
          minLength: form.minLength,
          maxLength: form.maxLength,
          content: 'content as declared',
          weak: !form.proven,
          passes,
          check,
        })),
    }));
  }
}
