import type { Publisher } from '../contract/index.ts';
import type { Json, JsonObject } from '../contract/wire/index.ts';
import type { OwnChange } from './core/outbox.ts';

/** One change of the feed of this instance. */
export type StoreChange = OwnChange | { readonly kind: 'loss'; readonly topic: string; readonly seq: number };

/** What the backplane takes of the feed of this instance, and puts there. */
export interface SharedStore extends Publisher {
  follow(patterns: readonly string[]): void;
  listen(listener: (change: StoreChange) => void): () => void;
  document(topic: string): JsonObject | undefined;
  version(topic: string): { readonly seq: number; readonly document: JsonObject | undefined };
  retained(patterns: readonly string[]): Iterable<{
    readonly topic: string;
    readonly seq: number;
    readonly document: JsonObject | undefined;
  }>;
  publishBroadcast(from: string, data: Json): void;
  /** So many events of a topic can't be had any more. */
  publishLoss(topic: string, count: number): void;
  /** There were events of this topic, followed or not. */
  hadEvents(topic: string): boolean;
  /** From no position before now can be recovered. */
  forgetPast(): void;
  /** Calls when the patterns change that subscribers have, or had until a while ago. */
  watchWanted(changed: () => void): { patterns(): Iterable<string> };
}
