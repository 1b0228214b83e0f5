import { PatternTrie } from './pattern-trie.ts';

/** Patterns that are told apart; beyond, everything counts as followed. */
const MOST = 10_000;

/** The patterns that somebody asked for at some time: whoever did may come back for what they cover. */
export class Followed {
  readonly #trie = new PatternTrie<true>();
  readonly #patterns = new Set<string>();
  /** Moves when there are more of them, so that a verdict can be kept until then. */
  version = 1;
  /** Raw bytes of some device are among them. */
  bytes = false;

  add(patterns: readonly string[]): void {
    for (const pattern of patterns) {
      if (this.#patterns.size > MOST || this.#patterns.has(pattern)) continue;
      this.#patterns.add(pattern);
      this.#trie.add(pattern, true);
      this.version++;
      if (pattern.endsWith('/bytes') || this.#patterns.size > MOST) this.bytes = true;
    }
  }

  covers(levels: readonly string[]): boolean {
    return this.#patterns.size > MOST || this.#trie.covers(levels);
  }
}

/** One topic, and whether it is followed: looked up anew only when more patterns are. */
export class Interest {
  readonly levels: readonly string[];
  #asOf = 0;
  #followed = false;

  constructor(levels: readonly string[]) {
    this.levels = levels;
  }

  /** Who asked once may come back: it stays true. */
  among(followed: Followed): boolean {
    if (this.#asOf === followed.version || this.#followed) return this.#followed;
    this.#asOf = followed.version;
    this.#followed = followed.covers(this.levels);
    return this.#followed;
  }
}
