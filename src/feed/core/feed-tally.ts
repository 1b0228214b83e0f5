/** What the subscribers of one kind of transport were told, and what was lost on the way; counted since the start. */
export class FeedTally {
  /** Messages handed to subscribers: one told to ten of them counts ten times. */
  deliveries = 0;
  /** Bytes that were put together for single subscribers, apart from what all share. */
  ownBytes = 0;
  /** Events that a subscriber was too slow for. */
  droppedSlow = 0;
  /** Events that were sent often enough and never acknowledged. */
  droppedUnacked = 0;
}
