/** Below this, making a view for the engine's own search costs more than looking. */
const SHORT = 48;

/** Where a byte stands first from `at` on; `tail` where it does not. */
export function findByte(bytes: Uint8Array, at: number, tail: number, byte: number): number {
  const near = Math.min(tail, at + SHORT);
  for (let index = at; index < near; index++) if (bytes[index] === byte) return index;
  if (near === tail) return tail;
  const found = bytes.subarray(near, tail).indexOf(byte);
  return found < 0 ? tail : near + found;
}

/** Where a word, or as much of it as there is room for before `tail`, stands first; `tail` where it does not. */
export function findBytes(bytes: Uint8Array, at: number, tail: number, word: Uint8Array): number {
  const first = word[0] ?? 0;
  for (let from = at; ; from++) {
    from = findByte(bytes, from, tail, first);
    if (from === tail || startsWith(bytes, from, tail, word)) return from;
  }
}

/** Whether the bytes at `at` are the word, or the beginning of it if `tail` comes first. */
export function startsWith(bytes: Uint8Array, at: number, tail: number, word: Uint8Array): boolean {
  const count = Math.min(word.length, tail - at);
  for (let index = 0; index < count; index++) if (bytes[at + index] !== word[index]) return false;
  return true;
}
