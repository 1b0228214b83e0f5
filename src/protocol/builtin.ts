import { HeartwireError } from '../errors.ts';
import { builtinDeclaration, type IdentityRule } from './declared/builtin.ts';
import { DeclaredProtocol } from './declared/declared-protocol.ts';
import { type ExactShape, exactShapes } from './declared/exact-shapes.ts';
import type { MessageCodec } from './declared/message-codec.ts';
import { Reading } from './declared/reading.ts';
import type { Values } from './declared/value.ts';
import { lengthsInWords, type MessageDefinition, ProtocolDefinition } from './definition.ts';
import { hexExcerpt } from './describe.ts';
import { PREFIX_BYTES } from './frame.ts';
import { writeUnsigned } from './framing/byte-order.ts';
import type {
  BuiltinMessage,
  DatetimeReply,
  InvalidPayload,
  RegisterRequest,
  RequestName,
} from './message.ts';

// The built-in messages are declared like any other. What is added here: sessions know them by their own types, and the
// decoders of the standard framing know that no other lengths exist.

export interface BuiltinOptions {
  /** Default `standard`: the appid is a UUID in text form, the IMEI is 15 digits. */
  readonly identity?: IdentityRule;
  /** Upper bound of a payload on a stream, in bytes; 1 MiB by default. */
  readonly maxFrame?: number;
}

/** A message of the built-in protocol that is no unknown one. */
type OwnMessage = Extract<BuiltinMessage, { name: RequestName }>;

const NO_FIELDS: Values = {};

type Content = { readonly kind: 'request' | 'reply'; readonly error: number; readonly fields: Values };

/** The messages as sessions know them. What is declared says which fields they have, and that these are texts. */
const TYPED: Readonly<Record<RequestName, (content: Content) => OwnMessage>> = {
  register: ({ kind, error, fields }) =>
    kind === 'reply'
      ? { name: 'register', kind, error }
      : { name: 'register', kind, fields: fields as RegisterRequest['fields'] },
  heartbeat: ({ kind, error }) =>
    kind === 'reply' ? { name: 'heartbeat', kind, error } : { name: 'heartbeat', kind },
  datetime: ({ kind, error, fields }) =>
    kind === 'reply'
      ? { name: 'datetime', kind, error, fields: fields as DatetimeReply['fields'] }
      : { name: 'datetime', kind },
};

// The keys of an object are what its type says: it is written as a literal above.
const NAMES = Object.keys(TYPED) as readonly RequestName[];

/** One built-in message, compiled. Frequent messages and frames are made once: they must not be modified. */
class BuiltinCodec implements MessageDefinition {
  readonly name: RequestName;
  readonly id: number;
  readonly shapes: MessageDefinition['shapes'];
  readonly #codec: MessageCodec;
  readonly #exact: readonly ExactShape[];
  readonly #reading = new Reading();
  readonly #request: OwnMessage | undefined;
  readonly #success: OwnMessage | undefined;
  readonly #typed: (content: Content) => OwnMessage;

  constructor(name: RequestName, protocol: DeclaredProtocol) {
    const codec = protocol.message(name);
    if (codec?.id === undefined) throw new HeartwireError('bad_declaration', `${name} is not declared`);
    this.#codec = codec;
    this.name = name;
    this.id = codec.id;
    this.#exact = exactShapes(codec, protocol.declaration, (bytes, start, end) =>
      protocol.check(bytes, start, end),
    );
    this.shapes = this.#exact.map(({ shape }) => shape);
    const [main, reply] = codec.forms;
    this.#typed = TYPED[name];
    const empty = { error: 0, fields: NO_FIELDS } as const;
    if (main.fields.length === 0) this.#request = this.#typed({ ...empty, kind: 'request' });
    if (reply?.fields.length === 0) this.#success = this.#typed({ ...empty, kind: 'reply' });
  }

  decode(bytes: Uint8Array, start: number, end: number): OwnMessage | InvalidPayload {
    const length = end - start;
    if (length === 1 && this.#request !== undefined) return this.#request;
    const error = ((bytes[start + 1] ?? 0) << 24) >> 24;
    if (length === 2 && error === 0 && this.#success !== undefined) return this.#success;
    return this.#decodeFields(error, bytes, start, end);
  }

  #decodeFields(error: number, bytes: Uint8Array, start: number, end: number): OwnMessage | InvalidPayload {
    const length = end - start;
    const exact = this.#exactOf(length);
    if (exact === undefined) return this.#wrongLength(bytes, start, end);
    if (exact.error !== undefined && (exact.error === 'zero') !== (error === 0)) {
      const wanted = exact.error === 'zero' ? '0' : 'an error code other than 0';
      return {
        ...this.#wrong('reply', 'error', 1),
        expected: `${wanted} in a reply of ${length} bytes`,
        seen: String(error),
      };
    }
    const { form } = exact;
    const fields = this.#codec.values(form, this.#reading, bytes, start, end);
    if (fields !== undefined) {
      const kind = form.kind === 'reply' ? 'reply' : 'request';
      return this.#typed({ kind, error, fields });
    }
    const message = this.#codec.decode(form, this.#reading, bytes, start, end);
    if (message.name === 'declared') throw new Error('a payload is right and wrong');
    const { kind, field, offset, expected, seen } = message;
    return { ...this.#wrong(kind, field, offset), expected, seen };
  }

  #exactOf(length: number): ExactShape | undefined {
    for (const exact of this.#exact) if (exact.shape.minLength === length) return exact;
    return undefined;
  }

  #wrong(kind: InvalidPayload['kind'], field: string, offset: number) {
    return { name: 'invalid', kind, message: this.name, field, offset } as const;
  }

  #wrongLength(bytes: Uint8Array, start: number, end: number): InvalidPayload {
    return {
      ...this.#wrong('request', 'length', 0),
      expected: lengthsInWords(this),
      seen: `${end - start} bytes: ${hexExcerpt(bytes, start, end)}`,
    };
  }
}

/** Compiled once: all devices share them. */
const COMPILED = new Map<IdentityRule, readonly MessageDefinition[]>();

/** The messages that every device of the built-in protocol knows; others may be listed behind them. */
export function builtinMessages(identity: IdentityRule = 'standard'): readonly MessageDefinition[] {
  let messages = COMPILED.get(identity);
  if (messages === undefined) {
    const protocol = new DeclaredProtocol(builtinDeclaration(identity));
    messages = NAMES.map((name) => new BuiltinCodec(name, protocol));
    COMPILED.set(identity, messages);
  }
  return messages;
}

/** The built-in protocol. */
export function builtinProtocol(options: BuiltinOptions = {}): ProtocolDefinition {
  return new ProtocolDefinition(builtinMessages(options.identity), options.maxFrame);
}

/** Frames of one message that are made once, because it has no fields. */
interface SharedFrames {
  request: Uint8Array | undefined;
  success: Uint8Array | undefined;
}

const noFrames = (): SharedFrames => ({ request: undefined, success: undefined });

const HEARTBEAT = noFrames();
const DATETIME = noFrames();
const REGISTER = noFrames();

/** By comparison, and not from a table: an answer to each beat of each device is encoded here. */
function sharedFrames(name: RequestName): SharedFrames {
  return name === 'heartbeat' ? HEARTBEAT : name === 'datetime' ? DATETIME : REGISTER;
}

/** Encodes as `identity: any` would admit; whether it is a UUID and digits is for configuration to check. */
let encoder: DeclaredProtocol | undefined;

function framed(message: OwnMessage): Uint8Array {
  encoder ??= new DeclaredProtocol(builtinDeclaration('any'));
  // The shape of a message is that of its fields by name; a missing one is none.
  const fields = ('fields' in message ? message.fields : NO_FIELDS) as Values;
  try {
    const frame =
      message.kind === 'reply'
        ? encoder.encodeReply(message.name, message.error, fields, PREFIX_BYTES)
        : encoder.encode(message.name, fields, PREFIX_BYTES);
    writeUnsigned(frame, 0, PREFIX_BYTES, 'big', frame.length - PREFIX_BYTES);
    return frame;
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    throw new HeartwireError('bad_argument', error.message, { seen: error.seen ?? '' });
  }
}

function make(message: OwnMessage, shared: SharedFrames): Uint8Array {
  const made = framed(message);
  if (!('fields' in message)) {
    if (message.kind === 'request') shared.request = made;
    else if (message.error === 0) shared.success = made;
  }
  return made;
}

/**
 * Encodes a built-in message as a whole frame. Frames without fields or an error are made once: they must not be
 * modified. @throws HeartwireError `bad_argument` for what no frame can carry
 */
export function encodeBuiltin(message: OwnMessage): Uint8Array {
  const shared = sharedFrames(message.name);
  const known =
    message.kind === 'request' ? shared.request : message.error === 0 ? shared.success : undefined;
  return known ?? make(message, shared);
}
