import type { SyncWord } from '../keys.ts';
import { findBytes } from './find-bytes.ts';

const NO_BYTES = new Uint8Array(0);

/** The words that may begin a frame, all as long as each other; of one with wildcards some bytes are free. */
export class SyncWords {
  readonly length: number;
  readonly words: readonly SyncWord[];
  /** The one word, where it is all fixed: the engine's own search finds it. Without a word, no byte. */
  readonly plain: Uint8Array | undefined;

  constructor(words: readonly SyncWord[]) {
    const [first] = words;
    this.words = words;
    this.length = first?.length ?? 0;
    if (first === undefined) this.plain = NO_BYTES;
    else if (words.length === 1 && first instanceof Uint8Array) this.plain = first;
  }

  /** Whether any byte may stand at this place. */
  isFree(at: number): boolean {
    return this.words.some((word) => (word[at] ?? 0) < 0);
  }

  /** Where a word, or as much of one as there is room for before `tail`, stands first; `tail` where none does. */
  seek(bytes: Uint8Array, at: number, tail: number): number {
    if (this.length === 0) return at;
    if (this.plain !== undefined) return findBytes(bytes, at, tail, this.plain);
    for (let from = at; from < tail; from++) if (this.stands(bytes, from, tail)) return from;
    return tail;
  }

  /** Whether a word, or the beginning of one if `tail` comes first, stands here. */
  stands(bytes: Uint8Array, at: number, tail: number): boolean {
    if (this.length === 0) return true;
    const count = Math.min(this.length, tail - at);
    return this.words.some((word) => {
      for (let index = 0; index < count; index++) {
        const byte = word[index] ?? 0;
        if (byte >= 0 && byte !== bytes[at + index]) return false;
      }
      return true;
    });
  }

  /** Writes the first word to the front of a frame; its free bytes stay as they are. */
  write(frame: Uint8Array): void {
    for (const [at, byte] of this.words[0]?.entries() ?? []) if (byte >= 0) frame[at] = byte;
  }

  /** In hex, with dots for a free byte. */
  get inWords(): string {
    return this.words
      .map((word) =>
        [...word].map((byte) => (byte < 0 ? '..' : byte.toString(16).padStart(2, '0'))).join(' '),
      )
      .join(' or ');
  }
}

export const NO_SYNC = new SyncWords([]);

export function syncWords(declared: SyncWord | readonly SyncWord[] | undefined): SyncWords {
  if (declared === undefined) return NO_SYNC;
  return new SyncWords(Array.isArray(declared) ? declared : [declared as SyncWord]);
}
