import type { ListenerConfig, MatchedDeviceConfig, SessionSettings } from '../config/index.ts';
import { lineOf } from '../contract/index.ts';
import { acceptedTransport } from '../links/index.ts';
import {
  builtinMessages,
  type DeclaredMessage,
  type DeclaredProtocol,
  decodePayload,
  type Expectation,
  encodeFrame,
  type FrameDecoder,
  type FrameSink,
  type FramingDeclaration,
  type HelloCodec,
  type IdentityRule,
  type InvalidPayload,
  isStandardFraming,
  LineDecoder,
  type Message,
  makeFraming,
  type PayloadJudge,
  PREFIX_BYTES,
  ProtocolDefinition,
  payloadJudge,
  type RegisterRequest,
  StreamDecoder,
  writeUnsigned,
} from '../protocol/index.ts';
import { PENDING_MAX_FRAME } from './core/pending-link.ts';

/** How the bytes of a wire are read. */
export interface WireCodec {
  readonly definition: ProtocolDefinition;
  /** `awaited` names the message of which the reply is the only one that can come now. */
  makeDecoder(
    definition: ProtocolDefinition,
    sink: FrameSink,
    awaited: () => string | undefined,
  ): FrameDecoder;
  /** What a payload says, where this is expected; absent: what the definition knows. */
  decode?(
    bytes: Uint8Array,
    start: number,
    end: number,
    expected?: Expectation,
    kind?: string,
  ): Message | InvalidPayload;
  /** The whole frame around a payload, of the kind of this name; absent: behind four bytes of length. */
  frame?(payload: Uint8Array, kind?: string): Uint8Array;
  /** What comes in front of the first frame; absent: nothing. */
  readonly hello?: HelloCodec | undefined;
  /** The whole frame of a message; absent: as the built-in protocol has it. */
  encode?(message: Message): Uint8Array;
}

/** Silence that ends an unfinished frame of a serial line behind a serial server, in ms. */
export const SERIAL_SERVER_GAP_MS = 200;

/** What decides how the bytes of a device are read. */
export interface CodecParts {
  /** The messages that the decoders of the standard framing know. */
  readonly definition: ProtocolDefinition;
  readonly line: 'stream' | 'serial';
  /** How frames are delimited; absent: by four bytes of length. */
  readonly framing?: FramingDeclaration | undefined;
  /** What a payload says, where it is not one of the definition. */
  readonly decode?: WireCodec['decode'] | undefined;
  /** Tells a frame from noise where a line has nothing else to tell it by. */
  readonly judge?: PayloadJudge | undefined;
}

/** How the bytes of a device's wire are read and written. Throws `bad_argument` for an impossible framing. */
export function makeWireCodec({ definition, line, framing, decode, judge }: CodecParts): WireCodec {
  const own = decode === undefined ? {} : { decode };
  if (framing === undefined || isStandardFraming(framing)) {
    return {
      ...own,
      definition,
      makeDecoder: (known: ProtocolDefinition, sink: FrameSink): FrameDecoder =>
        line === 'serial' ? new LineDecoder(known, sink) : new StreamDecoder(known, sink),
      frame: standardFrame,
    };
  }
  const made = makeFraming(framing);
  return {
    ...own,
    definition,
    makeDecoder: (_, sink, awaited) => made.makeDecoder(sink, { line, judge, awaited }),
    frame: (payload, kind) => made.encode(payload, kind),
  };
}

/** Whether frames end with silence, so that the link must report it, on TCP too. */
export function framingNeedsSilence(framing: FramingDeclaration | undefined): boolean {
  return framing !== undefined && makeFraming(framing).needsSilence;
}

function standardFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + payload.length);
  writeUnsigned(frame, 0, PREFIX_BYTES, 'big', payload.length);
  frame.set(payload, PREFIX_BYTES);
  return frame;
}

/** What decides the codec of a device. */
interface CodecSpec {
  readonly identity: IdentityRule;
  /** Register, heartbeat and datetime are part of it. */
  readonly builtin: boolean;
  readonly maxFrame: number;
  readonly line: 'stream' | 'serial';
  /** Absent where nothing else is declared. */
  readonly messages?: DeclaredProtocol | undefined;
  /** A link begins with what the messages declare in front of their frames, if that is anything. */
  readonly login?: boolean | undefined;
}

/** How frames are delimited; absent: by four bytes of length. */
export function framingOf({ builtin, messages }: Pick<CodecSpec, 'builtin' | 'messages'>) {
  // Beside the built-in messages the declared ones travel in the same frames.
  const declared = builtin ? undefined : messages?.declaration.framing;
  return declared === undefined || isStandardFraming(declared) ? undefined : declared;
}

/** The messages that the frame decoders know: those that begin with an id of one byte. */
function definitionOf({ identity, builtin, maxFrame, messages }: Omit<CodecSpec, 'line'>) {
  const declared = messages?.hasBuiltinIds === true ? messages.definition([], 'device').messages : [];
  return new ProtocolDefinition([...(builtin ? builtinMessages(identity) : []), ...declared], maxFrame);
}

/** How the bytes of a device are read and written. */
export function deviceCodec(spec: CodecSpec): WireCodec {
  const { builtin, messages, line } = spec;
  const own = messages === undefined || builtin ? {} : ownMessages(messages);
  const codec = makeWireCodec({
    definition: definitionOf(spec),
    line,
    framing: framingFor(spec),
    ...own,
  });
  const hello = spec.login === true ? messages?.hello : undefined;
  return { ...codec, hello, encode: (message) => encode(message, codec, messages) };
}

/**
 * How a pending link is read: the built-in messages; what one of `protocols` declares is at least a sign of life. A length that one of them excludes is no fault, for the peer may speak another.
 */
function pendingCodec(
  identity: IdentityRule,
  maxFrame: number,
  protocols: readonly DeclaredProtocol[],
  line: 'stream' | 'serial',
): WireCodec {
  const spec = { identity, builtin: true, maxFrame, line } as const;
  const codec = deviceCodec(spec);
  const decode = (bytes: Uint8Array, start: number, end: number): Message | InvalidPayload => {
    const plain = decodePayload(codec.definition, bytes, start, end);
    if (plain.name !== 'unknown') return plain;
    const protocol = protocols.find((each) => each.check(bytes, start, end, 'device') >= 0);
    return protocol?.decode(bytes, start, end, 'device') ?? plain;
  };
  return { ...codec, decode };
}

/** Where nothing is built in, the declared messages say what a payload is. */
function ownMessages(messages: DeclaredProtocol): Pick<CodecParts, 'decode' | 'judge'> {
  return {
    decode: (bytes, start, end, expected, kind) =>
      messages.decode(bytes, start, end, 'device', expected, kind),
    judge: payloadJudge(messages, 'device'),
  };
}

/** Ids that the decoders of the standard framing cannot look at need one that asks the messages. */
function framingFor({ builtin, messages }: CodecSpec): FramingDeclaration | undefined {
  if (builtin || messages === undefined) return undefined;
  const { framing } = messages.declaration;
  return isStandardFraming(framing) && messages.hasBuiltinIds ? undefined : framing;
}

function encode(message: Message, codec: WireCodec, messages: DeclaredProtocol | undefined): Uint8Array {
  if (message.name !== 'declared' || messages === undefined) return encodeFrame(message);
  if (message.encoded?.framed === false) return message.encoded.payload;
  const payload = message.encoded?.payload ?? encodePayload(message, messages);
  return codec.frame?.(payload, messages.kindOf(message.message)) ?? payload;
}

function encodePayload(message: DeclaredMessage, messages: DeclaredProtocol): Uint8Array {
  if (message.kind === 'reply') return messages.encodeReply(message.message, message.error, message.fields);
  return messages.encode(message.message, message.fields);
}

const NOTHING_DECLARED = {};

/** How the bytes of a link that dialled in are read, from its first frame on or from the one behind its register. */
export interface LinkCodec {
  readonly codec: WireCodec;
  /** Silence that the link reports, in ms, where frames end with it. */
  readonly idleAfterMs?: number | undefined;
  /** The same where the link carries datagrams, of which some may be lost or foreign; absent: no other way. */
  readonly datagrams?: { readonly codec: WireCodec } | undefined;
}

/** How devices that dial in are read. Those that speak the same share a codec, whose tables are not small. */
export class LinkCodecs {
  readonly #codecs = new WeakMap<object, Map<string, WireCodec>>();

  of(
    { identity, bare, login }: SessionSettings,
    { messages, maxFrame, line = 'stream', gapMs }: ReadFrom,
  ): LinkCodec {
    const spec: CodecSpec = { identity, builtin: bare === undefined, maxFrame, line, messages, login };
    const silence = line === 'serial' || framingNeedsSilence(framingOf(spec));
    const codecOfLine = (): WireCodec => this.#codec({ ...spec, line: 'serial' });
    return {
      codec: this.#codec(spec),
      ...(line === 'serial' || (bare !== undefined && messages === undefined)
        ? {}
        : {
            datagrams: {
              get codec() {
                return codecOfLine();
              },
            },
          }),
      ...(silence ? { idleAfterMs: gapMs ?? SERIAL_SERVER_GAP_MS } : {}),
    };
  }

  #codec(spec: CodecSpec): WireCodec {
    const { messages, identity, builtin, maxFrame, line, login } = spec;
    const declared = messages ?? NOTHING_DECLARED;
    const made = this.#codecs.get(declared) ?? new Map<string, WireCodec>();
    this.#codecs.set(declared, made);
    const key = `${identity} ${builtin} ${maxFrame} ${line} ${login}`;
    const codec = made.get(key) ?? deviceCodec(spec);
    made.set(key, codec);
    return codec;
  }
}

type ReadFrom = Pick<ListenerConfig | MatchedDeviceConfig, 'messages' | 'maxFrame' | 'line' | 'gapMs'>;

/** How the pending links of one listener are read; made once while the configuration stays the same. */
export class PendingCodecs {
  #config: ListenerConfig | undefined;
  #protocols: readonly DeclaredProtocol[] = [];
  #codec: WireCodec | undefined;

  of(config: ListenerConfig, protocols: readonly DeclaredProtocol[]): WireCodec {
    if (this.#codec !== undefined && this.#config === config && this.#protocols === protocols)
      return this.#codec;
    const { session, maxFrame, messages, link } = config;
    const line = lineOf(acceptedTransport(link));
    const own = messages === undefined || protocols.includes(messages) ? [] : [messages];
    const bound = Math.min(maxFrame, PENDING_MAX_FRAME);
    this.#config = config;
    this.#protocols = protocols;
    this.#codec = pendingCodec(session.identity, bound, [...own, ...protocols], line);
    return this.#codec;
  }
}

/** The identity in bytes that are exactly one register request; undefined where they are anything else. */
export function loneRegister(
  bytes: Uint8Array,
  { definition }: WireCodec,
): RegisterRequest['fields'] | undefined {
  if (bytes.length <= PREFIX_BYTES || bytes.length > PREFIX_BYTES + PENDING_MAX_FRAME) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (bytes.length !== PREFIX_BYTES + length) return undefined;
  const message = decodePayload(definition, bytes, PREFIX_BYTES, bytes.length);
  return message.name === 'register' && message.kind === 'request' ? message.fields : undefined;
}
