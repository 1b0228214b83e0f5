import {
  DEFAULT_PROTOCOL,
  type FieldDeclaration,
  MESSAGE_KEYS,
  type MessageDeclaration,
  type ProtocolDeclaration,
} from '../../protocol/declared/declaration.ts';
import {
  ANSWER_KEYS,
  type AnswerDeclaration,
  type ExchangeDeclaration,
  PROTOCOL_KEYS,
} from '../../protocol/declared/session-declaration.ts';
import { DEFAULT_MAX_PAYLOAD, type FramingDeclaration } from '../../protocol/framing/declaration.ts';
import { declareKeys } from './keys.ts';
import type { FileShape } from './shape.ts';

/** The declaration that a file means; defaults are filled in. */
export function declareProtocol(
  file: FileShape,
  framing: FramingDeclaration | undefined,
  messages: readonly Readonly<Record<string, unknown>>[],
): ProtocolDeclaration {
  const { protocol, enums = {}, errors = {}, answers } = file;
  const usual = framing ?? DEFAULT_PROTOCOL.framing;
  const id =
    protocol?.id === undefined
      ? framing === undefined
        ? DEFAULT_PROTOCOL.id
        : undefined
      : typeof protocol.id === 'string'
        ? { type: protocol.id, at: 0 }
        : { type: protocol.id.type, at: protocol.id.at ?? 0 };
  const error =
    protocol?.error ?? (usual.type === 'length' && id !== undefined ? DEFAULT_PROTOCOL.error : 'none');
  const byteOrder = protocol?.byte_order ?? DEFAULT_PROTOCOL.byteOrder;
  const exchange = declareKeys(
    PROTOCOL_KEYS,
    protocol ?? {},
    byteOrder,
  ) as ExchangeDeclaration<FieldDeclaration>;
  return {
    ...exchange,
    byteOrder,
    framing: usual,
    maxFrame: maxFrameOf(usual),
    ...(id === undefined ? {} : { id }),
    ...(error === 'none' ? {} : { error }),
    // A name in the place of an enum's values is refused by the lint, as an enum with a value "0".
    enums: Object.fromEntries(
      Object.entries(enums).map(([name, values]) => [name, typeof values === 'string' ? {} : values]),
    ),
    errors,
    messages: messages.map((message) => declareKeys(MESSAGE_KEYS, message, byteOrder) as MessageDeclaration),
    ...(answers === undefined
      ? {}
      : {
          answers: answers.map((answer) => declareKeys(ANSWER_KEYS, answer, byteOrder) as AnswerDeclaration),
        }),
  };
}

function maxFrameOf(framing: FramingDeclaration): number {
  if (framing.type === 'fixed') return framing.length;
  return framing.maxFrame ?? DEFAULT_MAX_PAYLOAD[framing.type];
}
