import type { Json, JsonObject } from '../../contract/wire/index.ts';

/*
 * What stands in an entry of the log: a list of changes, each a list that begins with its kind. `seq` counts the changes
 * of one topic in one life; a patch follows the document with the `seq` before it.
 */
export type SharedChange =
  | readonly [kind: 'patch', topic: string, seq: number, prev: number, patch: JsonObject]
  | readonly [kind: 'document', topic: string, seq: number, document: JsonObject]
  | readonly [kind: 'removal', topic: string, seq: number]
  | readonly [kind: 'event', topic: string, seq: number, data: JsonObject, id: string]
  | readonly [kind: 'broadcast', topic: string, seq: number, from: string, data: Json, id: string]
  /** Events up to this `seq` are lost, or those of a former owner may be. */
  | readonly [kind: 'lost', topic: string, seq: number]
  /** Everything that the owner said in this shard up to this `rev` of its feed stands in the log by now. */
  | readonly [kind: 'said', topic: '', rev: number];

/** The changes of an entry; undefined where it holds something else, as another version may write. */
export function changesOf(text: string): readonly SharedChange[] | undefined {
  const read = parsed(text);
  // The instances write it; only its frame is looked at.
  return Array.isArray(read) && read.every(Array.isArray)
    ? (read as unknown as readonly SharedChange[])
    : undefined;
}

/** Up to which `rev` of its feed the owner had said everything with this entry; it stands at the end. */
export function saidIn(text: string): number | undefined {
  const found = /\["said","",(\d+)\]\]$/.exec(text.slice(-40))?.[1];
  return found === undefined ? undefined : Number(found);
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
