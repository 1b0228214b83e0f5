import { PatternTrie } from './pattern-trie.ts';
import { matchesTopic } from './wire/topic.ts';

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

/** The patterns of one subscriber and the terms of each; where several cover a topic, the best of them counts. */
export class Interests {
  readonly #terms = new Map<string, Terms>();
  /** Where some are special: all terms by pattern, and how each topic was to be told that was asked for. */
  #special: { readonly trie: PatternTrie<Terms>; readonly manners: Map<string, Manner> } | undefined;

  get size(): number {
    return this.#terms.size;
  }

  get patterns(): readonly string[] {
    return [...this.#terms.keys()];
  }

  /** Some topics are rate-limited or acknowledged: not everything can go the way that all share. */
  get special(): boolean {
    return this.#special !== undefined;
  }

  has(pattern: string): boolean {
    return this.#terms.has(pattern);
  }

  add(patterns: readonly string[], terms: Terms): void {
    const plain = terms.maxHz === undefined && terms.ack !== true;
    for (const pattern of patterns) this.#terms.set(pattern, plain ? NO_TERMS : terms);
    this.#changed();
  }

  delete(patterns: readonly string[]): void {
    for (const pattern of patterns) this.#terms.delete(pattern);
    this.#changed();
  }

  hears(topic: string): boolean {
    for (const pattern of this.#terms.keys()) if (matchesTopic(pattern, topic)) return true;
    return false;
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

  #changed(): void {
    this.#special = undefined;
    const all = [...this.#terms];
    if (!all.some(([, { maxHz, ack }]) => maxHz !== undefined || ack === true)) return;
    const trie = new PatternTrie<Terms>();
    for (const [pattern, terms] of all) trie.add(pattern, terms);
    this.#special = { trie, manners: new Map() };
  }
}
