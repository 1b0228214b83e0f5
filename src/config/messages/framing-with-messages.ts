import {
  type ByteOrder,
  type FramingDeclaration,
  type IdDeclaration,
  type MessageDeclaration,
  parseNumberType,
  type SingleFraming,
} from '../../protocol/index.ts';

/** A framing with what it takes from the messages: where their id stands, and the constants of their checksums. */
export function withMessages(
  framing: FramingDeclaration,
  id: IdDeclaration | undefined,
  byteOrder: ByteOrder,
  messages: readonly MessageDeclaration[],
): FramingDeclaration {
  if (framing.type !== 'several') return single(framing, id, byteOrder, messages);
  const [first] = framing.kinds;
  const kinds = framing.kinds.map((kind) => {
    const own = messages.filter((each) => (each.framing ?? first?.name) === kind.name);
    const place = kind.id ?? id;
    return {
      ...kind,
      ...(place === undefined ? {} : { id: place }),
      framing: single(kind.framing, place, byteOrder, own),
    };
  });
  return { ...framing, kinds };
}

function single(
  framing: SingleFraming,
  id: IdDeclaration | undefined,
  byteOrder: ByteOrder,
  messages: readonly MessageDeclaration[],
): SingleFraming {
  const { checksum } = framing;
  const type = id === undefined ? undefined : parseNumberType(id.type, byteOrder);
  if (id === undefined || type === undefined) return framing;
  const constants = messages.flatMap(({ id: own, crcExtra }) =>
    own === undefined || crcExtra === undefined ? [] : [[String(own), crcExtra] as const],
  );
  const place = { at: id.at, bytes: type.bytes, order: type.little ? 'little' : 'big' } as const;
  const ownConstants = constants.length > 0 || checksum?.extraById !== undefined;
  if (checksum !== undefined && ownConstants) {
    const extraById = { ...Object.fromEntries(constants), ...checksum.extraById };
    return { ...framing, id: place, checksum: { ...checksum, extraById } };
  }
  return framing.type === 'id' ? { ...framing, id: place } : framing;
}
