import type { Change } from '../../src/feed/core/change.ts';

interface Version {
  readonly rev: number;
  readonly seq: number;
  readonly removed: boolean;
}

/** All that happened in one life of a feed, so that what is claimed of it can be held against it. */
export class ModelHistory {
  /** Events and broadcasts, in their order. */
  readonly events: Array<{ readonly topic: string; readonly rev: number; readonly seq: number }> = [];
  readonly eventTopics = new Set<string>();
  readonly #versions = new Map<string, Version[]>();

  note({ kind, topic, rev, seq }: Change): void {
    if (kind === 'event' || kind === 'broadcast') {
      this.events.push({ topic, rev, seq });
      this.eventTopics.add(topic);
    } else {
      const versions = this.#versions.get(topic) ?? [];
      versions.push({ rev, seq, removed: kind === 'removal' });
      this.#versions.set(topic, versions);
    }
  }

  /** Topics that ever had a document. */
  get topics(): Iterable<string> {
    return this.#versions.keys();
  }

  /** What a topic was when this `rev` was reached; undefined before its first document. */
  at(topic: string, rev: number): Version | undefined {
    return this.#versions.get(topic)?.findLast((each) => each.rev <= rev);
  }

  removedSince(topic: string, rev: number): boolean {
    return this.#versions.get(topic)?.some((each) => each.removed && each.rev >= rev) === true;
  }
}
