import { HeartwireError } from '../errors.ts';
import { builtinDeclaration, type IdentityRule } from './declared/builtin.ts';
import { DeclaredProtocol } from './declared/declared-protocol.ts';
import { type ExactShape, exactShapes } from './declared/exact-shapes.ts';
import type { MessageCodec } from './declared/message-codec.ts';
import { Reading } from './declared/reading.ts';
import { lengthsInWords, type MessageDefinition, ProtocolDefinition } from './definition.ts';
import { hexExcerpt } from './describe.ts';
import { newFrame, PREFIX_BYTES } from './frame.ts';
import type { BuiltinMessage, DeclaredMessage, InvalidPayload, RequestName } from './message.ts';

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

const textIn = ({ fields }: DeclaredMessage, name: string): string => String(fields[name]);

/** The declared messages as sessions know them. */
const TYPED: Readonly<Record<RequestName, (message: DeclaredMessage) => OwnMessage>> = {
  register: (message) =>
    message.kind === 'reply'
      ? { name: 'register', kind: 'reply', error: message.error }
      : {
          name: 'register',
          kind: 'request',
          fields: { appid: textIn(message, 'appid'), imei: textIn(message, 'imei') },
        },
  heartbeat: (message) =>
    message.kind === 'reply'
      ? { name: 'heartbeat', kind: 'reply', error: message.error }
      : { name: 'heartbeat', kind: 'request' },
  datetime: (message) =>
    message.kind === 'reply'
      ? {
          name: 'datetime',
          kind: 'reply',
          error: message.error,
          fields: message.error === 0 ? { datetime: textIn(message, 'datetime') } : {},
        }
      : { name: 'datetime', kind: 'request' },
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
    const empty = { name: 'declared', message: name, fields: {}, raw: {}, issues: [] } as const;
    if (main.fields.length === 0) this.#request = TYPED[name]({ ...empty, kind: 'request' });
    if (reply?.fields.length === 0) this.#success = TYPED[name]({ ...empty, kind: 'reply', error: 0 });
  }

  decode(bytes: Uint8Array, start: number, end: number): OwnMessage | InvalidPayload {
    const length = end - start;
    if (length === 1 && this.#request !== undefined) return this.#request;
    const error = ((bytes[start + 1] ?? 0) << 24) >> 24;
    if (length === 2 && error === 0 && this.#success !== undefined) return this.#success;
    const exact = this.#exact.find(({ shape }) => shape.minLength === length);
    if (exact === undefined) return this.#wrongLength(bytes, start, end);
    if (exact.error !== undefined && (exact.error === 'zero') !== (error === 0)) {
      const wanted = exact.error === 'zero' ? '0' : 'an error code other than 0';
      return {
        ...this.#wrong('reply', 'error', 1),
        expected: `${wanted} in a reply of ${length} bytes`,
        seen: String(error),
      };
    }
    const message = this.#codec.decode(exact.form, this.#reading, bytes, start, end);
    if (message.name === 'declared') return TYPED[this.name](message);
    const { kind, field, offset, expected, seen } = message;
    return { ...this.#wrong(kind, field, offset), expected, seen };
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

type Shared = Record<RequestName, Uint8Array | undefined>;

/** Encodes as `identity: any` would admit; whether it is a UUID and digits is for configuration to check. */
class BuiltinEncoder {
  readonly #protocol = new DeclaredProtocol(builtinDeclaration('any'));
  readonly #requests: Shared = { register: undefined, heartbeat: undefined, datetime: undefined };
  readonly #successes: Shared = { register: undefined, heartbeat: undefined, datetime: undefined };

  /** Frames without fields or an error are made once: they must not be modified. */
  encode(message: OwnMessage): Uint8Array {
    const shared =
      message.kind === 'request' ? this.#requests : message.error === 0 ? this.#successes : undefined;
    const known = shared?.[message.name];
    if (known !== undefined) return known;
    const made = this.#framed(message);
    if (shared !== undefined && !('fields' in message)) shared[message.name] = made;
    return made;
  }

  #framed(message: OwnMessage): Uint8Array {
    const payload = this.#payload(message);
    const frame = newFrame(payload[0] ?? 0, payload.length);
    frame.set(payload, PREFIX_BYTES);
    return frame;
  }

  #payload(message: OwnMessage): Uint8Array {
    const fields = 'fields' in message ? message.fields : {};
    try {
      return message.kind === 'reply'
        ? this.#protocol.encodeReply(message.name, message.error, { ...fields })
        : this.#protocol.encode(message.name, { ...fields });
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      throw new HeartwireError('bad_argument', error.message, { seen: error.seen ?? '' });
    }
  }
}

let encoder: BuiltinEncoder | undefined;

/** Encodes a built-in message as a whole frame. @throws HeartwireError `bad_argument` for what no frame can carry */
export function encodeBuiltin(message: OwnMessage): Uint8Array {
  encoder ??= new BuiltinEncoder();
  return encoder.encode(message);
}
