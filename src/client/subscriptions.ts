/** What one handle wants. */
export interface Wanted {
  readonly topics: readonly string[];
  readonly maxHz?: number | undefined;
  readonly ack?: boolean | undefined;
}

/** How often, and whether to be acknowledged: as a `subscribe` says it. */
type Terms = Readonly<{ max_hz: number | undefined; ack: true | undefined }>;

/** One `subscribe` to be sent. */
export interface SubscribeOrder {
  readonly terms: Terms;
  readonly topics: readonly string[];
}

/** What is to be sent. */
export interface Orders {
  readonly subscribe: Iterable<SubscribeOrder>;
  readonly unsubscribe: readonly string[];
}

interface OnWire {
  /** The terms that were asked for, as a text that is equal where they are. */
  readonly text: string;
  synced: boolean;
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
  readonly #waiting = new Map<number, Wanted>();

  add(handle: number, wanted: Wanted): void {
    this.#wanted.set(handle, wanted);
    this.#changed = true;
    this.#waiting.set(handle, wanted);
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
    return [...this.#wanted.values()].every((wanted) => this.#isSynced(wanted));
  }

  /** The patterns that are wanted, each once. */
  patterns(): ReadonlySet<string> {
    return new Set([...this.#wanted.values()].flatMap(({ topics }) => topics));
  }

  /** What must be sent so that the bridge knows what is wanted, if it does not; it counts as sent. */
  reconcile(isCovered: (topic: string) => boolean): Orders | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    const seen = new Set<string>();
    const groups = new Map<string, SubscribeOrder & { readonly topics: string[] }>();
    for (const [handle, wanted] of this.#wanted) {
      for (const topic of wanted.topics) {
        if (seen.has(topic)) continue;
        seen.add(topic);
        const terms = this.#terms(topic);
        const text = JSON.stringify(terms);
        if (this.#wire.get(topic)?.text === text) continue;
        this.#wire.set(topic, { text, synced: false });
        // By handle, so that the refusal of one does not hit another.
        const key = `${handle} ${isCovered(topic)} ${text}`;
        const group = groups.get(key) ?? { terms, topics: [] };
        group.topics.push(topic);
        groups.set(key, group);
      }
    }
    const unsubscribe = [...this.#wire.keys()].filter((topic) => !seen.has(topic));
    for (const topic of unsubscribe) this.#wire.delete(topic);
    return { subscribe: groups.values(), unsubscribe };
  }

  /** These patterns are synced; tells the handles that have all of theirs now, for the first time. */
  nowSynced(topics: readonly string[], tell: (handle: number) => void): void {
    for (const topic of topics) {
      const onWire = this.#wire.get(topic);
      if (onWire !== undefined) onWire.synced = true;
    }
    for (const [handle, wanted] of this.#waiting) {
      if (!this.#isSynced(wanted)) continue;
      this.#waiting.delete(handle);
      tell(handle);
    }
  }

  /** The bridge does not have it so; tells the handles that want any of these, which are forgotten. */
  refused(topics: readonly string[], tell: (handle: number) => void): void {
    for (const topic of topics) this.#wire.delete(topic);
    for (const [handle, wanted] of this.#wanted) {
      if (!wanted.topics.some((topic) => topics.includes(topic))) continue;
      this.remove(handle);
      tell(handle);
    }
  }

  #isSynced({ topics }: Wanted): boolean {
    return topics.every((topic) => this.#wire.get(topic)?.synced);
  }

  /** The most that any of them asked for. */
  #terms(pattern: string): Terms {
    const all = [...this.#wanted.values()].filter(({ topics }) => topics.includes(pattern));
    const maxHz = Math.max(...all.map((each) => each.maxHz ?? Infinity));
    return {
      max_hz: maxHz === Infinity ? undefined : maxHz,
      ack: all.some(({ ack }) => ack) || undefined,
    };
  }
}
