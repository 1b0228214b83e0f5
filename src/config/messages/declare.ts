import {
  ADDRESS_KEYS,
  type AddressDeclaration,
  DEFAULT_MAX_PAYLOAD,
  DEFAULT_PROTOCOL,
  type FramingDeclaration,
  MESSAGE_KEYS,
  type MessageDeclaration,
  type ProtocolDeclaration,
} from '../../protocol/index.ts';
import { withMessages } from './framing-with-messages.ts';
import { declareKeys } from './keys.ts';
import type { FileShape } from './shape.ts';

/** The declaration that a file means; defaults are filled in. */
export function declareProtocol(
  file: FileShape,
  framing: FramingDeclaration | undefined,
  messages: readonly Readonly<Record<string, unknown>>[],
): ProtocolDeclaration {
  const { protocol, enums = {}, errors = {} } = file;
  const plain = framing ?? DEFAULT_PROTOCOL.framing;
  const id =
    protocol?.id === undefined
      ? framing === undefined
        ? DEFAULT_PROTOCOL.id
        : undefined
      : typeof protocol.id === 'string'
        ? { type: protocol.id, at: 0 }
        : { type: protocol.id.type, at: protocol.id.at ?? 0 };
  const error =
    protocol?.error ?? (plain.type === 'length' && id !== undefined ? DEFAULT_PROTOCOL.error : 'none');
  const byteOrder = protocol?.byte_order ?? DEFAULT_PROTOCOL.byteOrder;
  const declared = messages.map(
    (message) => declareKeys(MESSAGE_KEYS, message, byteOrder) as MessageDeclaration,
  );
  const usual = withMessages(plain, id, byteOrder, declared);
  const several = usual.type === 'several';
  return {
    byteOrder,
    framing: usual,
    maxFrame: maxFrameOf(usual),
    ...(id === undefined || several ? {} : { id }),
    ...(protocol?.address === undefined ? {} : { address: addressOf(protocol.address, byteOrder) }),
    ...(error === 'none' || several ? {} : { error }),
    // A name in the place of an enum's values is refused by the lint, as an enum with a value "0".
    enums: Object.fromEntries(
      Object.entries(enums).map(([name, values]) => [name, typeof values === 'string' ? {} : values]),
    ),
    errors,
    messages: declared,
  };
}

function addressOf(
  given: Readonly<Record<string, unknown>>,
  byteOrder: ProtocolDeclaration['byteOrder'],
): AddressDeclaration {
  return { at: 0, ...declareKeys<typeof ADDRESS_KEYS>(ADDRESS_KEYS, given, byteOrder) } as AddressDeclaration; // as its shape lets pass
}

function maxFrameOf(framing: FramingDeclaration): number {
  if (framing.type === 'several')
    return Math.max(0, ...framing.kinds.map((kind) => maxFrameOf(kind.framing)));
  if (framing.type === 'fixed') return framing.length;
  return framing.maxFrame ?? DEFAULT_MAX_PAYLOAD[framing.type];
}
