import type { DocumentOrigin, EventReach, EventStamp, Publisher } from '../contract/index.ts';
import type { Json, JsonObject, Position } from '../contract/wire/index.ts';
import type { OwnChange } from './core/outbox.ts';

/** One change of the feed of this instance. */
export type StoreChange = OwnChange;

/** What the backplane takes of the feed of this instance, and puts there. */
export interface SharedStore extends Publisher {
  readonly epoch: string;
  readonly rev: number;
  /** Under which name a `rev` stands in a position. */
  readonly positionKey: string;
  publishState(topic: string, document: JsonObject, origin?: DocumentOrigin): void;
  publishEvent(
    topic: string,
    data: JsonObject | (() => JsonObject),
    reach?: EventReach,
    origin?: EventStamp,
  ): void;
  /** The document of another instance belongs to this one from now on. */
  adopt(topic: string): void;
  /** Subscribers were shown what no other instance shows. */
  breakPositions(): void;
  /** Calls about once a second, before the positions of that second are sent. */
  watchPositions(ticked: () => void): void;
  /** The `rev` of a position of this feed from which all can be recovered. */
  recoverable(position: Position): number | undefined;
  follow(patterns: readonly string[]): void;
  listen(listener: (change: StoreChange) => void): () => void;
  document(topic: string): JsonObject | undefined;
  version(topic: string): { readonly seq: number; readonly document: JsonObject | undefined };
  retained(patterns: readonly string[]): Iterable<{
    readonly topic: string;
    readonly seq: number;
    readonly document: JsonObject | undefined;
  }>;
  publishBroadcast(from: string, data: Json, origin?: EventStamp): void;
  /** So many events of a topic can't be had any more. */
  publishLoss(topic: string, count: number): void;
  /** There were events of this topic, followed or not. */
  hadEvents(topic: string): boolean;
  /** From no position before now can be recovered. */
  forgetPast(): void;
  /** Calls when the patterns change that subscribers have, or had until a while ago. */
  watchWanted(changed: () => void): { patterns(): Iterable<string> };
}
