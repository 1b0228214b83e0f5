import type { Values } from '../contract/index.ts';
import { findChecksum, type MessageDeclaration } from '../protocol/index.ts';

type Group = NonNullable<MessageDeclaration['assemble']>;

/** What the parts of a group are made of. */
export interface PartSpeech {
  declared(part: string): MessageDeclaration | undefined;
  /** A payload for each field of a part of keys and values. */
  pairs(part: string): readonly Uint8Array[];
  whole(part: string): readonly Uint8Array[];
  with(part: string, values: Values): Uint8Array | undefined;
}

const NO_BYTES = new Uint8Array(0);

/**
 * The payloads of a group, in the order in which a device sends them: lines of keys and values, and the one that ends the
 * group with the byte that its checksum needs. None where the parts are numbered, which nothing here counts.
 */
export function groupPayloads(group: Group, speech: PartSpeech): readonly Uint8Array[] {
  const { parts, first, last, number } = group;
  if (number !== undefined) return [];
  const middle = parts.filter((part) => part !== first && part !== last);
  const lines = middle.filter((part) => speech.declared(part)?.keyValue !== undefined);
  const body = [
    ...(first === undefined ? [] : speech.whole(first)),
    ...(lines.length > 0
      ? lines.flatMap((part) => speech.pairs(part))
      : middle.flatMap((part) => speech.whole(part))),
  ];
  if (last === undefined) return body;
  if (group.checksum === undefined) return [...body, ...speech.whole(last)];
  const end = sealed(group, last, body, speech);
  return end === undefined ? [] : [...body, end];
}

/** The last part with the one of 256 texts of a byte that makes the checksum of the group right. */
function sealed(
  { checksum }: Group,
  last: string,
  body: readonly Uint8Array[],
  speech: PartSpeech,
): Uint8Array | undefined {
  const name = speech
    .declared(last)
    ?.fields?.find(({ type, value }) => type === 'text' && value === undefined)?.name;
  if (checksum === undefined || name === undefined) return undefined;
  const sum = findChecksum(checksum.algorithm);
  if (sum === undefined || sum.wide) return undefined;
  const { before = NO_BYTES, behind = NO_BYTES, result = 0 } = checksum;
  for (let byte = 0; byte < 256; byte++) {
    const end = speech.with(last, { [name]: String.fromCharCode(byte) });
    if (end === undefined) continue;
    const all = Buffer.concat([...body, end].flatMap((payload) => [before, payload, behind]));
    if (BigInt(sum.finish(sum.update(sum.initial, all, 0, all.length))) === BigInt(result)) return end;
  }
  return undefined;
}
