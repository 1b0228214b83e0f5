/** Topics in the order in which they are to be sent. Not changed once it is made, so that many snapshots share one. */
export class TopicList {
  readonly topics: readonly string[];
  #indices: ReadonlyMap<string, number> | undefined;

  constructor(topics: readonly string[]) {
    this.topics = topics;
  }

  /** Where the topic stands; -1 where it is not in the list. */
  indexOf(topic: string): number {
    this.#indices ??= new Map(this.topics.map((each, index) => [each, index]));
    return this.#indices.get(topic) ?? -1;
  }
}
