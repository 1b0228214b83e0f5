import { PatternTrie } from './pattern-trie.ts';

/** Patterns that are kept apart; beyond, every topic counts as followed. */
const MOST = 10_000;
/** Stands for all patterns beyond those; no pattern is empty. */
const ALL_OTHERS = '';

/**
 * The patterns that some client subscribes to, or did until a while ago: it may come back for what they cover.
 *
 *     ──begin──▶ followed ──the last one ends──▶ left ──a while──▶ forgotten
 *                    ▲                            │
 *                    └───────────begin────────────┘
 */
export class TopicInterest {
  readonly #keepMs: number;
  readonly #changed: (() => void) | undefined;
  readonly #trie = new PatternTrie<true>();
  /** Subscriptions for each; 0: it is one of those that were left. */
  readonly #followers = new Map<string, number>();
  /** Since when they have no subscription, noted by `age`. */
  readonly #left = new Map<string, number | undefined>();
  #bytesPatterns = 0;
  /** Moves when more is followed, so that a verdict can be kept until then. */
  gained = 1;
  /** Moves when something is forgotten. */
  lost = 1;

  /** A pattern is forgotten so long after its last subscription; `changed` is called when the patterns are others. */
  constructor(keepMs: number, changed?: () => void) {
    this.#keepMs = keepMs;
    this.#changed = changed;
  }

  /** Raw bytes of some device may be among them. */
  get bytes(): boolean {
    return this.#bytesPatterns > 0;
  }

  /** Some have no subscription any more, and are not forgotten yet. */
  get remembersLeft(): boolean {
    return this.#left.size > 0;
  }

  /** Those that are kept apart; the empty one stands for all others. */
  patterns(): Iterable<string> {
    return this.#followers.keys();
  }

  /** Adds a subscription to each of these. */
  begin(patterns: readonly string[]): void {
    for (const pattern of patterns) {
      // Once some are not kept apart, later ones are not either: so each ends as what it began as.
      const full = this.#followers.size >= MOST || this.#followers.has(ALL_OTHERS);
      const key = full && !this.#followers.has(pattern) ? ALL_OTHERS : pattern;
      const followers = this.#followers.get(key);
      this.#followers.set(key, (followers ?? 0) + 1);
      this.#left.delete(key);
      if (followers === undefined) this.#gain(key);
    }
  }

  /** Removes a subscription from each of these. */
  end(patterns: readonly string[]): void {
    for (const pattern of patterns) {
      const key = this.#followers.has(pattern) ? pattern : ALL_OTHERS;
      const followers = this.#followers.get(key) ?? 0;
      if (followers > 0) this.#followers.set(key, followers - 1);
      if (followers === 1) this.#left.set(key, undefined);
    }
  }

  /** Time passes: forgets what had no subscription for long enough. */
  age(monoMs: number): void {
    for (const [key, sinceMs] of this.#left) {
      if (sinceMs === undefined) this.#left.set(key, monoMs);
      else if (monoMs - sinceMs >= this.#keepMs) this.#forget(key);
    }
  }

  covers(levels: readonly string[]): boolean {
    return this.#followers.has(ALL_OTHERS) || this.#trie.covers(levels);
  }

  #gain(key: string): void {
    this.gained++;
    if (key !== ALL_OTHERS) this.#trie.add(key, true);
    if (mayBeBytes(key)) this.#bytesPatterns++;
    this.#changed?.();
  }

  #forget(key: string): void {
    this.lost++;
    this.#followers.delete(key);
    this.#left.delete(key);
    if (key !== ALL_OTHERS) this.#trie.delete(key, true);
    if (mayBeBytes(key)) this.#bytesPatterns--;
    this.#changed?.();
  }
}

function mayBeBytes(key: string): boolean {
  return key === ALL_OTHERS || key.endsWith('/bytes');
}

/** One topic, and whether it is followed: looked up again only when that may have changed. */
export class Interest {
  readonly levels: readonly string[];
  #asOf = 0;
  #followed = false;

  constructor(levels: readonly string[]) {
    this.levels = levels;
  }

  among(followed: TopicInterest): boolean {
    if (this.#asOf === (this.#followed ? followed.lost : followed.gained)) return this.#followed;
    this.#followed = followed.covers(this.levels);
    this.#asOf = this.#followed ? followed.lost : followed.gained;
    return this.#followed;
  }
}
