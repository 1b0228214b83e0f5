import { PatternTrie, trieOf } from './pattern-trie.ts';

/** What a subscriber asked for beside the topics. */
export interface Terms {
  /** Documents of one topic come at most so often; absent: as often as they change. */
  readonly maxHz?: number | undefined;
  /** Events are to be acknowledged. */
  readonly ack?: boolean | undefined;
}

interface Manner {
  readonly intervalMs: number;
  readonly acked: boolean;
}

const MAX_CACHED_TOPICS = 10_000;
const NO_TERMS: Terms = {};
const PLAIN: Manner = { intervalMs: 0, acked: false };

/**
 * Patterns and the terms of each; where several cover a topic, the best of them counts. They never change, so that all
 * who want the same can share them.
 */
export class Interests {
  /** Nothing. */
  static readonly none = new Interests([]);

  readonly patterns: readonly string[];
  /** Where some are special: all terms by pattern, and how each topic was to be told that was asked for. */
  readonly #special: { readonly trie: PatternTrie<Terms>; readonly manners: Map<string, Manner> } | undefined;
  /** Made when it is asked for: nearly nobody asks. */
  #trie: PatternTrie<true> | undefined;
  /** The terms of those patterns that have any; absent where none has. */
  readonly #terms: ReadonlyMap<string, Terms> | undefined;

  /** The patterns must differ from each other. */
  constructor(patterns: readonly string[], terms?: ReadonlyMap<string, Terms>) {
    this.patterns = patterns;
    if (terms === undefined || terms.size === 0) return;
    this.#terms = terms;
    const trie = new PatternTrie<Terms>();
    for (const pattern of patterns) trie.add(pattern, terms.get(pattern) ?? NO_TERMS);
    this.#special = { trie, manners: new Map() };
  }

  /** Some topics are rate-limited or acknowledged: not everything can go the way that all share. */
  get special(): boolean {
    return this.#special !== undefined;
  }

  has(pattern: string): boolean {
    return this.patterns.includes(pattern);
  }

  /** These, with further patterns; where one was there before, its new terms count. */
  with(patterns: readonly string[], terms: Terms): Interests {
    const special = terms.maxHz !== undefined || terms.ack === true;
    const all = new Map(this.#terms);
    for (const pattern of patterns) {
      if (special) all.set(pattern, terms);
      else all.delete(pattern);
    }
    return new Interests([...new Set([...this.patterns, ...patterns])], all);
  }

  without(patterns: readonly string[]): Interests {
    const gone = new Set(patterns);
    const all = new Map(this.#terms);
    for (const pattern of gone) all.delete(pattern);
    return new Interests(
      this.patterns.filter((each) => !gone.has(each)),
      all,
    );
  }

  hears(topic: string): boolean {
    this.#trie ??= trieOf(this.patterns);
    return this.#trie.covers(topic.split('/'));
  }

  /** Least time between two documents of a topic; 0 where there is none. */
  intervalMs(topic: string): number {
    return this.#manner(topic).intervalMs;
  }

  acked(topic: string): boolean {
    return this.#manner(topic).acked;
  }

  #manner(topic: string): Manner {
    if (this.#special === undefined) return PLAIN;
    const { trie, manners } = this.#special;
    const known = manners.get(topic);
    if (known !== undefined) return known;
    let highest: number | undefined;
    let acked = false;
    for (const { maxHz = Infinity, ack } of trie.match(topic.split('/'))) {
      highest = Math.max(highest ?? 0, maxHz);
      acked ||= ack === true;
    }
    const manner = highest === undefined ? PLAIN : { intervalMs: 1_000 / highest, acked };
    if (manners.size >= MAX_CACHED_TOPICS) manners.clear();
    manners.set(topic, manner);
    return manner;
  }
}
