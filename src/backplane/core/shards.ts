import { hasWildcard } from '../../contract/wire/index.ts';

/** Streams over which all topics are spread. Part of what instances share: it never changes. */
export const SHARDS = 64;

const ALL: readonly number[] = Array.from({ length: SHARDS }, (_, shard) => shard);

/** FNV-1a over the UTF-8 bytes of a name; all topics of one device lie in one shard. */
function shardOfName(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return ((hash ^ (hash >>> 16)) >>> 0) % SHARDS;
}

/** The shard of a topic: that of its second level, or of its only one. */
export function shardOfTopic(topic: string): number {
  const [first = '', second] = topic.split('/', 2);
  return shardOfName(second ?? first);
}

/** The shard of a unit: that of its topics. */
export const shardOfUnit = (unit: string): number => shardOfName(unit.slice(unit.indexOf(' ') + 1));

/** The shards in which there may be topics that a pattern covers. */
export function shardsOfPattern(pattern: string): readonly number[] {
  const [first = '', second = first] = pattern.split('/', 2);
  return hasWildcard(second) ? ALL : [shardOfName(second)];
}

/** The unit to which a topic belongs; empty: to the instance that publishes it. */
export function unitOfTopic(topic: string): string {
  const [kind, name] = topic.split('/', 2);
  if (name === undefined) return '';
  if (kind === 'devices') return name;
  return kind === 'buses' ? busUnit(name) : '';
}

/** No device has a name with a blank in it. */
export const busUnit = (bus: string): string => `bus ${bus}`;
