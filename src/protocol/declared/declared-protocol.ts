import { HeartwireError } from '../../errors.ts';
import { type MessageDefinition, ProtocolDefinition } from '../definition.ts';
import { copyOf } from '../describe.ts';
import { agrees, type Expectation, sameBytes, without } from '../expectation.ts';
import type { DeclaredMessage, EchoedMessage, InvalidPayload, UnknownMessage } from '../message.ts';
import { addressForm } from './address-field.ts';
import { Answers } from './answers.ts';
import {
  type Candidate,
  checkAmong,
  type FoundForm,
  formAmong,
  isReply,
  nearestTo,
  sizeOf,
} from './candidate.ts';
import { CandidatesById } from './candidates-by-id.ts';
import type { ProtocolDeclaration, Sender } from './declaration.ts';
import { pathText } from './finding.ts';
import { kindOf, partFor, partOf } from './framing-parts.ts';
import { HelloCodec } from './hello.ts';
import { lintProtocol } from './lint.ts';
import { MessageCodec } from './message-codec.ts';
import { type FieldTrace, Reading } from './reading.ts';
import { ReplyForms } from './reply-forms.ts';
import { SequenceRule } from './sequence.ts';
import { unknownPayload } from './unknown-payload.ts';
import type { Values } from './value.ts';
import { Writing } from './writing.ts';

/** What a payload is, and where each field lies in it. */
export interface Inspection {
  readonly message: DeclaredMessage | UnknownMessage | InvalidPayload;
  readonly trace: readonly FieldTrace[];
}

const NO_BYTES = new Uint8Array(0);

/**
 * Declared messages, compiled: payloads (what a framing leaves) to messages and back. Hostile bytes are data; only
 * misuse throws.
 */
export class DeclaredProtocol {
  readonly declaration: ProtocolDeclaration;
  readonly messages: readonly MessageCodec[];
  readonly replies: ReplyForms;
  readonly answers: Answers;
  readonly sequence: SequenceRule | undefined;
  readonly hello: HelloCodec | undefined;
  /** Where there are several framings, the messages of each. */
  readonly #parts: ReadonlyMap<string, DeclaredProtocol> | undefined;
  readonly #byName: ReadonlyMap<string, MessageCodec>;
  readonly #candidates: CandidatesById;
  /** So many times `check` looks at each byte at most. */
  readonly passes: number;
  readonly #addressOf: ((bytes: Uint8Array, at: number) => number) | undefined;
  readonly #addressEnd: number;
  readonly #byAddress = new Map<number, DeclaredProtocol>();
  #ofAny: DeclaredProtocol | undefined;
  readonly #reading = new Reading();
  readonly #writing = new Writing();

  /** @throws HeartwireError `bad_declaration` with the first thing that is wrong. */
  constructor(declaration: ProtocolDeclaration) {
    const wrong = lintProtocol(declaration).find(({ severity }) => severity === 'error');
    if (wrong !== undefined) {
      throw new HeartwireError('bad_declaration', `${pathText(wrong.path)}: ${wrong.message}`, {
        fix: wrong.fix,
      });
    }
    this.declaration = declaration;
    const { framing } = declaration;
    if (framing.type === 'several') {
      this.#parts = new Map(
        framing.kinds.map((kind) => [kind.name, new DeclaredProtocol(partOf(declaration, kind))]),
      );
    }
    this.messages = declaration.messages.map(
      (each) =>
        this.#parts?.get(kindOf(declaration, each) ?? '')?.message(each.name) ??
        new MessageCodec(each, declaration),
    );
    this.replies = new ReplyForms(declaration, this.messages);
    this.answers = new Answers(this);
    [this.sequence, this.hello] = [SequenceRule.of(declaration), HelloCodec.of(declaration)];
    this.#byName = new Map(this.messages.map((each) => [each.name, each]));
    const { address, byteOrder } = declaration;
    const form = address && addressForm(address, byteOrder);
    this.#addressOf = form?.load;
    this.#addressEnd = (address?.at ?? 0) + (form?.bytes ?? 0);
    this.#candidates = new CandidatesById(declaration, this.messages);
    this.passes = this.#candidates.passes;
  }

  /** A device says who it is. */
  get logsIn(): boolean {
    return this.hello !== undefined || this.declaration.session?.login !== undefined;
  }

  /** The same protocol as one device speaks it: messages to it and from it carry this address. */
  at(address: number): DeclaredProtocol {
    const { address: place } = this.declaration;
    if (place === undefined) return this;
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    const made = new DeclaredProtocol({ ...this.declaration, address: { ...place, value: address } });
    made.#ofAny = this.ofAnyAddress;
    this.#byAddress.set(address, made);
    return made;
  }

  /** The same protocol as all devices speak it. */
  get ofAnyAddress(): DeclaredProtocol {
    return this.#ofAny ?? this;
  }

  /** The address in a payload; undefined where there is none. */
  addressIn(bytes: Uint8Array, start: number, end: number): number | undefined {
    if (this.#addressOf === undefined || start + this.#addressEnd > end) return undefined;
    const address = this.#addressOf(bytes, start + (this.declaration.address?.at ?? 0));
    return address < 0 ? undefined : address;
  }

  /** The messages of one of several framings. */
  part(kind: string): DeclaredProtocol | undefined {
    return this.#parts?.get(kind);
  }

  /** The framing whose frames a message has, where there are several. */
  kindOf(name: string): string | undefined {
    const message = this.declaration.messages.find((each) => each.name === name);
    return message && kindOf(this.declaration, message);
  }

  message(name: string): MessageCodec | undefined {
    return this.#byName.get(name);
  }

  /**
   * Decodes one payload. `from` is the side that sent it, where that is known: it tells a request from a reply of the
   * same length. With `expected`, a reply is the one that may come; where several others fit, it is none of them.
   */
  decode(
    bytes: Uint8Array,
    start = 0,
    end: number = bytes.length,
    from?: Sender,
    expected?: Expectation,
    kind?: string,
  ): DeclaredMessage | UnknownMessage | InvalidPayload | EchoedMessage {
    if (this.#parts !== undefined) {
      return partFor(this.#parts, kind, bytes, start, end, from).decode(bytes, start, end, from, expected);
    }
    const message =
      expected === undefined || this.#tellsById(expected, bytes, start, end)
        ? this.#first(bytes, start, end, from)
        : this.#expected(expected, bytes, start, end, from);
    this.#reading.bytes = NO_BYTES;
    return message;
  }

  /** Whether a payload is known by its id, and no reply: most of what devices say of their own accord. */
  #tellsById({ sent }: Expectation, bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.#candidates.hasIds || sent.length > 0) return false;
    return !this.#candidates.of(bytes, start, end).some(isReply);
  }

  /** The first message that fits. */
  #first(
    bytes: Uint8Array,
    start: number,
    end: number,
    from: Sender | undefined,
  ): DeclaredMessage | UnknownMessage | InvalidPayload {
    const candidates = this.#candidates.of(bytes, start, end);
    // Which of its registers a reply holds is known by its request alone.
    if (this.declaration.polls !== undefined) {
      const found = this.#answer([], candidates, bytes, start, end, from);
      if (found !== undefined) return found;
    }
    let first: InvalidPayload | undefined;
    for (let index = 0; index < candidates.length; index++) {
      const message = this.#as(candidates[index], bytes, start, end, from);
      if (message?.name === 'declared') return message;
      first ??= message;
    }
    return (
      first ??
      this.#misfit(candidates, bytes, start, end, from) ??
      unknownPayload(this.#candidates.idOf(bytes, start, end), bytes, start, end)
    );
  }

  /** What a payload says as one candidate; undefined where its length, or its sender, excludes that. */
  #as(
    candidate: Candidate | undefined,
    bytes: Uint8Array,
    start: number,
    end: number,
    from: Sender | undefined,
  ): DeclaredMessage | InvalidPayload | undefined {
    if (candidate === undefined) return undefined;
    const { codec, form } = candidate;
    const length = end - start;
    if (length < form.minLength || length > form.maxLength || !codec.mayComeFrom(form, from))
      return undefined;
    return codec.decode(form, this.#reading, bytes, start, end);
  }

  #expected(
    expected: Expectation,
    bytes: Uint8Array,
    start: number,
    end: number,
    from: Sender | undefined,
  ): DeclaredMessage | UnknownMessage | InvalidPayload | EchoedMessage {
    const length = end - start;
    for (const sent of expected.sent) {
      if (sent.length === length && sameBytes(sent, bytes, start))
        return { name: 'echo', kind: 'echo', payload: copyOf(bytes, start, end) };
    }
    const id = this.#candidates.idOf(bytes, start, end);
    const candidates = this.#candidates.of(bytes, start, end);
    const found = this.#answer(expected.replies, candidates, bytes, start, end, from);
    if (found !== undefined) return found;
    // Only the silence between two frames shows where the bridge's own ends and the other one begins.
    for (const sent of expected.sent) {
      if (sent.length > 0 && sent.length < length && sameBytes(sent, bytes, start))
        return this.#expected(without(expected, sent), bytes, start + sent.length, end, from);
    }
    const blamed = candidates.find(
      (each) =>
        isReply(each) &&
        expected.replies.some(({ message }) => message === each.codec.name) &&
        (id !== undefined || this.replies.begins(each.codec.name, bytes, start, end)),
    );
    if (blamed !== undefined) {
      const message = blamed.codec.decode(blamed.form, this.#reading, bytes, start, end);
      if (message.name === 'invalid') return message;
    }
    if (id === undefined) return unknownPayload(id, bytes, start, end);
    return this.#misfit(candidates, bytes, start, end, from) ?? unknownPayload(id, bytes, start, end);
  }

  /**
   * A message that refuses a request comes first: a reply without any form would be it as well. Others that are no reply
   * keep their place before or behind the replies. A reply is one that is expected; else the
   * only one that fits; else nothing shows which request it answers.
   */
  #answer(
    replies: Expectation['replies'],
    candidates: readonly Candidate[],
    bytes: Uint8Array,
    start: number,
    end: number,
    from: Sender | undefined,
  ): DeclaredMessage | UnknownMessage | undefined {
    for (const candidate of candidates) {
      if (candidate.codec.declaration.rejects === undefined) continue;
      const message = this.#as(candidate, bytes, start, end, from);
      if (message?.name === 'declared') return message;
    }
    const firstReply = candidates.findIndex(isReply);
    for (let index = 0; index < candidates.length; index++) {
      if (index === firstReply) {
        for (const { message: name, same } of replies) {
          const candidate = candidates.find((each) => each.codec.name === name && isReply(each));
          const message = this.#as(candidate, bytes, start, end, from);
          if (message?.name === 'declared' && agrees(same, message.fields)) return message;
        }
      }
      const candidate = candidates[index];
      if (candidate === undefined || isReply(candidate)) continue;
      const message = this.#as(candidate, bytes, start, end, from);
      if (message?.name === 'declared') return message;
    }
    const fitting: DeclaredMessage[] = [];
    for (const candidate of candidates) {
      const message = isReply(candidate) ? this.#as(candidate, bytes, start, end, from) : undefined;
      if (message?.name === 'declared') fitting.push(message);
    }
    if (fitting.length < 2) return fitting[0];
    const answers = fitting.map(({ message }) => message);
    return { name: 'unknown', kind: 'unknown', answers, payload: copyOf(bytes, start, end) };
  }

  /**
   * Whether a payload is a declared message, without making one: how many bytes were looked at where it is, the bitwise
   * complement of that number (negative) where it is not. Looks at each byte `passes` times at most, and allocates
   * nothing: it is asked at every place where a frame may begin.
   */
  check(bytes: Uint8Array, start: number, end: number, from?: Sender): number {
    if (this.#parts !== undefined) {
      let seen = 0;
      for (const part of this.#parts.values()) {
        const touched = part.check(bytes, start, end, from);
        if (touched >= 0) return seen + touched;
        seen += ~touched;
      }
      return ~seen;
    }
    const candidates = this.#candidates.of(bytes, start, end);
    const touched = checkAmong(candidates, this.#reading, this.passes, bytes, start, end, from);
    this.#reading.bytes = NO_BYTES;
    return touched;
  }

  /**
   * Bytes of the message that begins here, where its id says it: all forms that it may have are of one fixed size. -1
   * where it does not, -2 where the id is not all there.
   */
  lengthOf(bytes: Uint8Array, start: number, end: number, from?: Sender): number {
    const id = this.#candidates.idOf(bytes, start, end);
    return Number.isNaN(id) ? -2 : sizeOf(this.#candidates.of(bytes, start, end), from);
  }

  /**
   * The form that a whole payload has, as `check` finds it, and how many bytes were touched to find it. With `awaited`
   * only the reply to that message counts. Looks at each byte once for the fields and once for every checksum, of each
   * form with its id.
   */
  formOf(bytes: Uint8Array, start: number, end: number, from?: Sender, awaited?: string): FoundForm {
    const candidates = this.#candidates.of(bytes, start, end);
    const found = formAmong(candidates, this.#reading, bytes, start, end, from, awaited);
    this.#reading.bytes = NO_BYTES;
    return found;
  }

  /** Whether these bytes are the front of a message, and more of it is to come, as its declaration or they say. */
  begins(bytes: Uint8Array, start: number, end: number, from?: Sender): boolean {
    const begun = this.messages.some((codec) =>
      codec.forms.some(
        (form) =>
          end - start < form.maxLength &&
          codec.mayComeFrom(form, from) &&
          codec.begins(form, this.#reading, bytes, start, end),
      ),
    );
    this.#reading.bytes = NO_BYTES;
    return begun;
  }

  /** Decodes one payload and says of every field where it lies and what it holds. */
  inspect(payload: Uint8Array, from?: Sender, kind?: string): Inspection {
    if (this.#parts !== undefined) {
      return partFor(this.#parts, kind, payload, 0, payload.length, from).inspect(payload, from);
    }
    const message = this.#first(payload, 0, payload.length, from);
    if (message.name === 'unknown') return { message, trace: [] };
    const codec = this.#byName.get(message.message);
    const form = codec?.forms.find(({ kind }) => kind === message.kind);
    if (codec === undefined || form === undefined) return { message, trace: [] };
    const inspected = codec.inspect(form, this.#reading, payload);
    this.#reading.bytes = NO_BYTES;
    return inspected;
  }

  /**
   * Encodes a message as a payload, behind so many bytes of room for what goes in front. @throws HeartwireError `message_unknown` where none has this name,
   * `bad_field_value` where a field cannot carry its value
   */
  encode(name: string, fields: Values = {}, room = 0): Uint8Array {
    return this.#codec(name).encode(this.#writing, fields, room);
  }

  /** Encodes a reply to a message as a payload; fields go with error code 0 only. @throws HeartwireError as `encode` */
  encodeReply(name: string, error = 0, fields: Values = {}, room = 0): Uint8Array {
    return this.#codec(name).encodeReply(this.#writing, error, fields, room);
  }

  /** Whether the frame decoders of the built-in protocol can tell these messages apart: the id is the first byte. */
  get hasBuiltinIds(): boolean {
    return this.#candidates.isFirstByte;
  }

  /**
   * The messages for the frame decoders of the built-in protocol, beside others. `from` is the side whose frames are
   * decoded. @throws HeartwireError `bad_argument` where ids are no single first byte, or one is taken
   */
  definition(beside: readonly MessageDefinition[] = [], from?: Sender): ProtocolDefinition {
    if (!this.hasBuiltinIds) {
      throw new HeartwireError(
        'bad_argument',
        'Only messages whose id is the first byte go beside the built-in ones',
      );
    }
    const single = this.messages.filter(({ declaration }) => declaration.assemble === undefined);
    const own = single.flatMap((codec) =>
      codec.toDefinitions(
        (bytes, start, end) => {
          const message = this.#first(bytes, start, end, from);
          this.#reading.bytes = NO_BYTES;
          // Found by its id, it is known: `unknown` comes of no message at all.
          return message.name === 'unknown'
            ? codec.decode(codec.forms[0], this.#reading, bytes, start, end)
            : message;
        },
        this.passes,
        (bytes, start, end) => this.check(bytes, start, end, from),
      ),
    );
    return new ProtocolDefinition([...beside, ...own], this.declaration.maxFrame);
  }

  #codec(name: string): MessageCodec {
    const codec = this.#byName.get(name);
    if (codec !== undefined) return codec;
    throw new HeartwireError('message_unknown', `There is no message ${JSON.stringify(name)}`, {
      seen: name,
      fix: `There are ${[...this.#byName.keys()].join(', ') || 'none'}.`,
    });
  }

  /** A length that fits no form: the form that comes nearest says what is lacking, or too much. */
  #misfit(
    candidates: readonly Candidate[],
    bytes: Uint8Array,
    start: number,
    end: number,
    from: Sender | undefined,
  ): InvalidPayload | undefined {
    const nearest = nearestTo(end - start, candidates, from);
    if (nearest === undefined) return undefined;
    const message = nearest.codec.decode(nearest.form, this.#reading, bytes, start, end);
    return message.name === 'invalid' ? message : undefined;
  }
}
