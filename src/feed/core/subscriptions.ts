import { PatternTrie, trieOf } from './pattern-trie.ts';

/** The terms of a subscription beside its topics. */
export interface Terms {
  /** Documents of one topic come at most so often; absent: as often as they change. */
  readonly maxHz?: number | undefined;
  /** Events are to be acknowledged. */
  readonly ack?: boolean | undefined;
  /** Messages of devices come with `raw`. */
  readonly raw?: boolean | undefined;
}

interface TopicTerms {
  readonly intervalMs: number;
  readonly acked: boolean;
  readonly raw: boolean;
}

const MAX_CACHED_TOPICS = 10_000;
const NO_TERMS: Terms = {};
const NONE: readonly string[] = [];
const PLAIN: TopicTerms = { intervalMs: 0, acked: false, raw: false };

/**
 * Patterns and the terms of each; where several cover a topic, the best of them counts. Immutable, so that subscribers
 * with the same ones can share them.
 */
export class Subscriptions {
  /** Nothing. */
  static readonly none = new Subscriptions([]);

  readonly patterns: readonly string[];
  readonly #ownPace: boolean;
  /** Where some are special: all terms by pattern, and a cache of the terms of each topic. */
  readonly #special:
    | { readonly trie: PatternTrie<Terms>; readonly byTopic: Map<string, TopicTerms> }
    | undefined;
  /** Made on first use, which is rare. */
  #trie: PatternTrie<true> | undefined;
  /** The terms of those patterns that have any; absent where none has. */
  readonly #terms: ReadonlyMap<string, Terms> | undefined;

  /** The patterns must differ from each other. */
  constructor(patterns: readonly string[], terms?: ReadonlyMap<string, Terms>) {
    this.patterns = patterns;
    this.#ownPace = [...(terms?.values() ?? [])].some(
      ({ maxHz, ack }) => maxHz !== undefined || ack === true,
    );
    if (terms === undefined || terms.size === 0) return;
    this.#terms = terms;
    const trie = new PatternTrie<Terms>();
    for (const pattern of patterns) trie.add(pattern, terms.get(pattern) ?? NO_TERMS);
    this.#special = { trie, byTopic: new Map() };
  }

  /** Some topics are rate-limited or acknowledged, so that the shared stream is not enough. */
  get special(): boolean {
    return this.#ownPace;
  }

  /** The patterns whose events come with `raw`: those who share a stream have the same. */
  get rawPatterns(): readonly string[] {
    return this.#terms === undefined ? NONE : this.patterns.filter((each) => this.#terms?.get(each)?.raw);
  }

  /** The same patterns in their order, with nothing of their terms but `raw`. */
  sharedTerms(): Subscriptions {
    const raw = new Map(this.rawPatterns.map((each) => [each, { raw: true }]));
    return new Subscriptions(this.patterns.toSorted(), raw);
  }

  has(pattern: string): boolean {
    return this.patterns.includes(pattern);
  }

  /** These, with further patterns; where one was there before, its new terms count. */
  with(patterns: readonly string[], terms: Terms): Subscriptions {
    const special = terms.maxHz !== undefined || terms.ack === true || terms.raw === true;
    const all = new Map(this.#terms);
    for (const pattern of patterns) {
      if (special) all.set(pattern, terms);
      else all.delete(pattern);
    }
    return new Subscriptions([...new Set([...this.patterns, ...patterns])], all);
  }

  without(patterns: readonly string[]): Subscriptions {
    const gone = new Set(patterns);
    const all = new Map(this.#terms);
    for (const pattern of gone) all.delete(pattern);
    return new Subscriptions(
      this.patterns.filter((each) => !gone.has(each)),
      all,
    );
  }

  covers(topic: string): boolean {
    this.#trie ??= trieOf(this.patterns);
    return this.#trie.covers(topic.split('/'));
  }

  /** Least time between two documents of a topic; 0 where there is none. */
  intervalMs(topic: string): number {
    return this.#termsOf(topic).intervalMs;
  }

  acked(topic: string): boolean {
    return this.#termsOf(topic).acked;
  }

  /** Messages of this topic come with `raw`. */
  raw(topic: string): boolean {
    return this.#termsOf(topic).raw;
  }

  #termsOf(topic: string): TopicTerms {
    if (this.#special === undefined) return PLAIN;
    const { trie, byTopic } = this.#special;
    const known = byTopic.get(topic);
    if (known !== undefined) return known;
    let highest: number | undefined;
    let acked = false;
    let raw = false;
    for (const { maxHz = Infinity, ack, raw: withRaw } of trie.match(topic.split('/'))) {
      highest = Math.max(highest ?? 0, maxHz);
      acked ||= ack === true;
      raw ||= withRaw === true;
    }
    const terms = highest === undefined ? PLAIN : { intervalMs: 1_000 / highest, acked, raw };
    if (byTopic.size >= MAX_CACHED_TOPICS) byTopic.clear();
    byTopic.set(topic, terms);
    return terms;
  }
}
