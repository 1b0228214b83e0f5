/** What one handle wants. */
export interface Wanted {
  readonly topics: readonly string[];
  readonly maxHz?: number | undefined;
  readonly ack?: boolean | undefined;
}

/** One `subscribe` to be sent. */
export interface SubscribeOrder {
  readonly topics: readonly string[];
  readonly maxHz?: number | undefined;
  readonly ack?: true | undefined;
}

export interface Orders {
  readonly subscribe: readonly SubscribeOrder[];
  readonly unsubscribe: readonly string[];
}

const NOTHING: Orders = { subscribe: [], unsubscribe: [] };

interface OnWire {
  /** The terms that were asked for, as a text that is equal where they are. */
  readonly terms: string;
  synced: boolean;
}

interface Terms {
  readonly maxHz?: number | undefined;
  readonly ack?: true | undefined;
}

/**
 * Which patterns are wanted, by whom, and which of them this connection was asked for. The bridge knows each pattern
 * once, under its last terms; so handles that share one get the most that any of them asked for.
 */
export class Subscriptions {
  readonly #wanted = new Map<number, Wanted>();
  readonly #wire = new Map<string, OnWire>();
  /** What is wanted is not what the bridge was asked for. */
  #changed = false;
  /** Handles that were not told yet that all of theirs is synced. */
  readonly #waiting = new Set<number>();

  add(handle: number, wanted: Wanted): void {
    this.#wanted.set(handle, wanted);
    this.#changed = true;
    this.#waiting.add(handle);
  }

  remove(handle: number): void {
    this.#wanted.delete(handle);
    this.#changed = true;
    this.#waiting.delete(handle);
  }

  /** The connection is gone: the next one knows of nothing. */
  disconnected(): void {
    this.#wire.clear();
    this.#changed = true;
  }

  /** Every pattern that is wanted is synced on this connection. */
  get synced(): boolean {
    for (const { topics } of this.#wanted.values())
      if (!topics.every((topic) => this.#wire.get(topic)?.synced === true)) return false;
    return true;
  }

  /** The patterns that are wanted, each once. */
  patterns(): ReadonlySet<string> {
    return new Set([...this.#wanted.values()].flatMap(({ topics }) => topics));
  }

  /** What must be sent so that the bridge knows what is wanted; it counts as sent. */
  reconcile(isCovered: (pattern: string) => boolean): Orders {
    if (!this.#changed) return NOTHING;
    this.#changed = false;
    const seen = new Set<string>();
    const groups = new Map<string, { readonly terms: Terms; readonly topics: string[] }>();
    for (const [handle, { topics }] of this.#wanted) {
      for (const topic of topics) {
        if (seen.has(topic)) continue;
        seen.add(topic);
        const terms = this.#terms(topic);
        const text = JSON.stringify(terms);
        if (this.#wire.get(topic)?.terms === text) continue;
        this.#wire.set(topic, { terms: text, synced: false });
        // By handle, so that the refusal of one does not hit another.
        const key = `${handle} ${isCovered(topic)} ${text}`;
        const group = groups.get(key);
        if (group === undefined) groups.set(key, { terms, topics: [topic] });
        else group.topics.push(topic);
      }
    }
    const unsubscribe = [...this.#wire.keys()].filter((topic) => !seen.has(topic));
    for (const topic of unsubscribe) this.#wire.delete(topic);
    const subscribe = [...groups.values()].map(({ terms: each, topics }) => ({ ...each, topics }));
    return { subscribe, unsubscribe };
  }

  /** These patterns are synced; returns the handles that have all of theirs now, for the first time. */
  nowSynced(topics: readonly string[]): number[] {
    for (const topic of topics) {
      const onWire = this.#wire.get(topic);
      if (onWire !== undefined) onWire.synced = true;
    }
    const done: number[] = [];
    for (const handle of this.#waiting) {
      const wanted = this.#wanted.get(handle);
      if (wanted?.topics.every((topic) => this.#wire.get(topic)?.synced === true)) done.push(handle);
    }
    for (const handle of done) this.#waiting.delete(handle);
    return done;
  }

  /** The bridge does not have it so; returns the handles that want any of these, which are forgotten. */
  refused(topics: readonly string[]): number[] {
    for (const topic of topics) this.#wire.delete(topic);
    const hit = [...this.#wanted]
      .filter(([, wanted]) => wanted.topics.some((topic) => topics.includes(topic)))
      .map(([handle]) => handle);
    for (const handle of hit) this.remove(handle);
    return hit;
  }

  #terms(pattern: string): Terms {
    let highest = 0;
    let ack = false;
    for (const wanted of this.#wanted.values()) {
      if (!wanted.topics.includes(pattern)) continue;
      highest = Math.max(highest, wanted.maxHz ?? Infinity);
      ack ||= wanted.ack === true;
    }
    return { maxHz: highest === Infinity ? undefined : highest, ack: ack ? true : undefined };
  }
}
