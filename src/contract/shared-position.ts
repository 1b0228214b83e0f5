/** Which version of a document this is, as its owner counts it: the same at every instance that shows it. */
export interface DocumentOrigin {
  /** Of the feed of the owner. */
  readonly epoch: string;
  readonly seq: number;
}

/** How an event of another instance is counted there, and its id everywhere. */
export interface EventStamp extends DocumentOrigin {
  readonly id: string;
}

/**
 * What a position of another instance covers of the feed of this one: for each topic up to which `rev` of this feed its
 * subscriber has everything.
 */
export interface RecoveryCut {
  /** None of the others is lower. */
  readonly rev: number;
  /** Of documents; those that another instance counts have another one than those of this one. */
  state(topic: string, isForeign: boolean): number;
  /**
   * Of events; those that came from another instance have another one than those of this one, and those which that instance
   * made itself are known by their ids.
   */
  event(topic: string, isForeign: boolean, id?: string): number;
  /** The present documents of these topics are sent, whatever is covered. */
  readonly always: Iterable<string>;
}
