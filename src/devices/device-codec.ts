import { decodePayload, encodeFrame } from '../protocol/codec.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { payloadJudge } from '../protocol/declared/payload-judge.ts';
import { ProtocolDefinition } from '../protocol/definition.ts';
import type { FramingDeclaration } from '../protocol/framing/declaration.ts';
import { isStandardFraming } from '../protocol/framing/make-framing.ts';
import type { DeclaredMessage, InvalidPayload, Message } from '../protocol/message.ts';
import type { IdentityRule } from '../protocol/messages/register.ts';
import { builtinMessages } from '../protocol/messages/registry.ts';
import type { WireCodec } from './wire.ts';
import { type CodecParts, makeWireCodec } from './wire-codec.ts';

/** What a device speaks. */
export interface DeviceCodecs {
  readonly identity: IdentityRule;
  /** Register, heartbeat and datetime are part of it. */
  readonly builtin: boolean;
  readonly maxFrame: number;
  readonly line: 'stream' | 'serial';
  /** Absent where nothing else is declared. */
  readonly messages?: DeclaredProtocol | undefined;
}

/** How frames are told apart; absent: by four bytes of length. */
export function framingOf({ builtin, messages }: Pick<DeviceCodecs, 'builtin' | 'messages'>) {
  // Beside the built-in messages the declared ones travel in the same frames.
  const declared = builtin ? undefined : messages?.declaration.framing;
  return declared === undefined || isStandardFraming(declared) ? undefined : declared;
}

/** The messages that the frame decoders know: those that begin with an id of one byte. */
function definitionOf({ identity, builtin, maxFrame, messages }: Omit<DeviceCodecs, 'line'>) {
  const declared = messages?.hasBuiltinIds === true ? messages.definition([], 'device').messages : [];
  return new ProtocolDefinition([...(builtin ? builtinMessages(identity) : []), ...declared], maxFrame);
}

/** How the bytes of a device are read and written. */
export function deviceCodec(speech: DeviceCodecs): WireCodec {
  const { builtin, messages, line } = speech;
  const own = messages === undefined || builtin ? {} : ownMessages(messages);
  const codec = makeWireCodec({
    definition: definitionOf(speech),
    line,
    framing: framingFor(speech),
    ...own,
  });
  return { ...codec, encode: (message) => encode(message, codec, messages) };
}

/**
 * How a link is read that has not said who it is: the built-in messages, and whatever one of `spoken` declares is at
 * least a sign of life. A length that one of them excludes is no fault, for the peer may speak another.
 */
export function pendingCodec(
  identity: IdentityRule,
  maxFrame: number,
  spoken: readonly DeclaredProtocol[],
): WireCodec {
  const speech = { identity, builtin: true, maxFrame, line: 'stream' } as const;
  const codec = deviceCodec(speech);
  const decode = (bytes: Uint8Array, start: number, end: number): Message | InvalidPayload => {
    const plain = decodePayload(codec.definition, bytes, start, end);
    if (plain.name !== 'unknown') return plain;
    const protocol = spoken.find((each) => each.check(bytes, start, end, 'device') >= 0);
    return protocol?.decode(bytes, start, end, 'device') ?? plain;
  };
  return { ...codec, decode };
}

/** Where nothing is built in, the declared messages say what a payload is. */
function ownMessages(messages: DeclaredProtocol): Pick<CodecParts, 'decode' | 'judge'> {
  return {
    decode: (bytes, start, end, expected) => messages.decode(bytes, start, end, 'device', expected),
    judge: payloadJudge(messages, 'device'),
  };
}

/** Ids that the decoders of the standard framing cannot look at need one that asks the messages. */
function framingFor({ builtin, messages }: DeviceCodecs): FramingDeclaration | undefined {
  if (builtin || messages === undefined) return undefined;
  const { framing } = messages.declaration;
  return isStandardFraming(framing) && messages.hasBuiltinIds ? undefined : framing;
}

function encode(message: Message, codec: WireCodec, messages: DeclaredProtocol | undefined): Uint8Array {
  if (message.name !== 'declared' || messages === undefined) return encodeFrame(message);
  const payload = encodePayload(message, messages);
  return codec.frame?.(payload) ?? payload;
}

function encodePayload(message: DeclaredMessage, messages: DeclaredProtocol): Uint8Array {
  if (message.kind === 'reply') return messages.encodeReply(message.message, message.error, message.fields);
  return messages.encode(message.message, message.fields);
}
