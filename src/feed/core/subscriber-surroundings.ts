import type { Encoder } from './encoder.ts';
import type { FeedTally } from './feed-tally.ts';
import type { FeedStore } from './store.ts';
import type { Subscriber } from './subscriber.ts';

/** What subscribers share. */
export interface SubscriberSurroundings {
  readonly store: FeedStore;
  readonly encoder: Encoder;
  readonly tally: FeedTally;
  /** The subscriber has something to write; `flush` is to be called in this turn of the loop. */
  wake(subscriber: Subscriber): void;
  /** The subscriber holds back documents whose time comes later. */
  pace(subscriber: Subscriber): void;
  /** The subscriber was told less than the present position: call `tellPosition` in a second. */
  tellLater(subscriber: Subscriber): void;
}
