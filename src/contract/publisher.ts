export type { Json, JsonObject } from './wire/index.ts';

import type { JsonObject } from './wire/index.ts';

/**
 * Which subscriptions make an event: any that covers its topic, or only one that also names its second level, as
 * `devices/psu-1/#` does and `devices/+/messages` does not. Once it is made, all who subscribe to its topic get it.
 */
export type EventReach = 'any' | 'named';

/** Where the rest of the bridge hands its news to the feed; synchronous, and never waits for a subscriber. */
export interface Publisher {
  /**
   * Replaces the retained document of a topic. The change goes out as one merge patch; a document equal to the last
   * one is no change. Subtrees that are the same object as before are known to be unchanged, so share them. Keys
   * whose value is `undefined` are absent. The document must not be modified afterwards.
   */
  publishState(topic: string, document: JsonObject): void;
  /** The topic is gone; nothing happens where it never was. */
  removeState(topic: string): void;
  /**
   * Something that happened; never retained. A function is called at once, and only where its result is used. `reach` is
   * `any` where it is left out.
   */
  publishEvent(topic: string, data: JsonObject | (() => JsonObject), reach?: EventReach): void;
}
