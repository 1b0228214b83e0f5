import type { MessageDeclaration, ProtocolDeclaration } from './declaration.ts';
import { type NumberType, parseNumberType } from './number-type.ts';

/** The id that the reply to a message carries: its own, or the one that the rule of the protocol makes. */
export function replyIdOf(
  { id, reply }: MessageDeclaration,
  { id: place, byteOrder, replyId }: ProtocolDeclaration,
): number | undefined {
  const type = place === undefined ? undefined : parseNumberType(place.type, byteOrder);
  if (type === undefined || id === undefined) return undefined;
  const own = typeof reply === 'object' ? reply.id : undefined;
  if (own !== undefined) return wrapId(own, type);
  const { or = 0, add = 0 } = replyId ?? {};
  return wrapId(Number((BigInt(id) | BigInt(or)) + BigInt(add)), type);
}

/** 0xF0 and -16 are the same id of one byte; which of the two it is depends on the type. */
export function wrapId(id: number, type: NumberType): number {
  const bits = type.bytes * 8;
  return Number(type.signed ? BigInt.asIntN(bits, BigInt(id)) : BigInt.asUintN(bits, BigInt(id)));
}
