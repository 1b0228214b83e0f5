import type { RecoveryCut } from '../../contract/index.ts';
import { isJsonObject, type Json, ownValue } from '../../contract/wire/index.ts';
import { parsed } from './change-text.ts';
import type { ShardCut } from './shard-cuts.ts';
import { shardOfTopic } from './shards.ts';

/**
 * What a `rev` of the feed of one instance stands for: how far it had read each shard, and what it showed otherwise than
 * others do.
 */
export interface PositionMark {
  readonly shards: ReadonlyMap<number, { readonly epoch: string; readonly rev: number }>;
  /** Lives that it took for gone. */
  readonly gone: readonly string[];
  /** Topics that waited for a new owner. */
  readonly orphans: readonly string[];
}

export function markText({ shards, gone, orphans }: PositionMark): string {
  const standing = [...shards].map(([shard, { epoch, rev }]) => [shard, epoch, rev]);
  return JSON.stringify({ s: standing, g: gone, o: orphans });
}

/** Undefined where it is no mark. */
export function markOf(text: string): PositionMark | undefined {
  const value = parsed(text) as Json | undefined;
  if (!isJsonObject(value)) return undefined;
  const [standing, gone, orphans] = ['s', 'g', 'o'].map((key) => ownValue(value, key));
  if (!Array.isArray(standing)) return undefined;
  const shards = new Map<number, { epoch: string; rev: number }>();
  for (const each of standing) {
    const [shard, epoch, rev] = Array.isArray(each) ? each : [];
    if (typeof shard === 'number' && typeof rev === 'number')
      shards.set(shard, { epoch: String(epoch), rev });
  }
  return { shards, gone: textsIn(gone), orphans: textsIn(orphans) };
}

const textsIn = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];

/** As another instance gave it: under which name, and how far its feed was. */
export interface GivenPosition {
  readonly name: string;
  readonly rev: number;
}

/** Documents that each instance has for itself. */
const LOCAL = ['bridge/status', 'bridge/incidents'];

/** What instances share of a topic; all else each has for itself. */
function isShared(topic: string): boolean {
  const [kind, , last, more] = topic.split('/');
  if (more !== undefined) return kind === 'bridge';
  if (kind === 'devices')
    return last === 'state' || last === 'stats' || last === 'alarms' || last === 'messages';
  if (kind === 'buses') return last === 'state' || last === 'stats';
  if (kind === 'bridge') return last !== undefined;
  return kind === 'declarations' || kind === 'clients' || kind === 'broadcast';
}

/**
 * What is covered here, by shard, of a position that another instance gave; `always`: topics that are sent in any case. Its
 * own events are covered up to the position, whether or not it had read them back.
 */
export function recoveryCut(
  cuts: ReadonlyMap<number, ShardCut>,
  always: readonly string[],
  { name, rev: givenRev }: GivenPosition,
): RecoveryCut {
  const lowest = ({ foreign, own }: ShardCut): number => Math.min(foreign, own);
  const of = (topic: string): ShardCut | undefined =>
    isShared(topic) ? cuts.get(shardOfTopic(topic)) : undefined;
  const never = Number.POSITIVE_INFINITY;
  return {
    rev: Math.min(...[...cuts.values()].map(lowest)),
    state(topic, isForeign) {
      const cut = of(topic);
      if (cut === undefined) return never;
      // What this instance counts is its own, or what it shows of another one while nothing is known of it.
      return isForeign ? cut.foreign : lowest(cut);
    },
    event(topic, isForeign, id = '') {
      const cut = of(topic);
      const [made = '', end = ''] = id.split('.');
      const isItsOwn = end !== '' && name.startsWith(end) && Number(made.slice(1)) <= givenRev;
      if (cut === undefined || isItsOwn) return never;
      return isForeign ? cut.foreign : cut.own;
    },
    always: [...LOCAL, ...always],
  };
}
