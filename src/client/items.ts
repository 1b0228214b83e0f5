import type { Json, JsonObject } from '../contract/feed/json.ts';

/** Something that happened. */
export interface FeedEvent {
  readonly kind: 'event';
  readonly topic: string;
  /** The device that the topic belongs to. */
  readonly device?: string | undefined;
  /** When the bridge said it, in ms since the Unix epoch. */
  readonly at: number;
  readonly seq: number;
  readonly data: JsonObject;
}

/** What one client told all others. */
export interface FeedBroadcast {
  readonly kind: 'broadcast';
  readonly topic: string;
  readonly at: number;
  readonly seq: number;
  /** The id of that client. */
  readonly from: string;
  readonly data: Json;
}

/** Events of a topic that will not come. */
export interface FeedGap {
  readonly kind: 'gap';
  readonly topic: string;
  readonly device?: string | undefined;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** The bridge's word for it, or `slow_reader`: this program took them too slowly from a queue of its own. */
  readonly reason: string;
}

export type FeedItem = FeedEvent | FeedBroadcast | FeedGap;

/** The id in `devices/<id>/...`. */
export function deviceOf(topic: string): string | undefined {
  const [root, device] = topic.split('/');
  return root === 'devices' ? device : undefined;
}
