import {
  type ByteOrder,
  type FramingDeclaration,
  type IdDeclaration,
  type MessageDeclaration,
  parseNumberType,
} from '../../protocol/index.ts';

/** A framing with what it takes from the messages: where their id stands, and the constants of their checksums. */
export function withMessages(
  framing: FramingDeclaration,
  id: IdDeclaration | undefined,
  byteOrder: ByteOrder,
  messages: readonly MessageDeclaration[],
): FramingDeclaration {
  const { checksum } = framing;
  const constants = messages.flatMap(({ id: own, crcExtra }) =>
    own === undefined || crcExtra === undefined ? [] : [[String(own), crcExtra] as const],
  );
  const type = id === undefined ? undefined : parseNumberType(id.type, byteOrder);
  if (id === undefined || type === undefined || checksum === undefined) return framing;
  if (constants.length === 0 && checksum.extraById === undefined) return framing;
  const extraById = { ...Object.fromEntries(constants), ...checksum.extraById };
  const place = { at: id.at, bytes: type.bytes, order: type.little ? 'little' : 'big' } as const;
  return { ...framing, id: place, checksum: { ...checksum, extraById } };
}
