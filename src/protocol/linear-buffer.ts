const INITIAL_BYTES = 4096;
const EMPTY = new Uint8Array(0);

/** Below this a loop over bytes is cheaper than making a view for `set`. */
const LOOP_BYTES = 24;

/**
 * The bytes of one connection that no frame has used up yet, in one piece: `bytes` from `head` to `tail`. It grows
 * only with bytes that arrive, starts over at the front when it is empty, and gives back what a burst made it take.
 * Every byte is moved a bounded number of times, whatever the sizes of chunks and frames.
 */
export class LinearBuffer {
  bytes: Uint8Array = EMPTY;
  head = 0;
  tail = 0;
  #peak = 0;

  get length(): number {
    return this.tail - this.head;
  }

  get capacity(): number {
    return this.bytes.length;
  }

  /** Takes `chunk` from `from` to `to`. */
  append(chunk: Uint8Array, from: number, to: number): void {
    const count = to - from;
    if (this.tail + count > this.bytes.length) this.#makeRoom(count);
    if (from === 0 && to === chunk.length) {
      this.bytes.set(chunk, this.tail);
    } else if (count <= LOOP_BYTES) {
      let target = this.tail;
      for (let at = from; at < to; at++) this.bytes[target++] = chunk[at] ?? 0;
    } else {
      this.bytes.set(chunk.subarray(from, to), this.tail);
    }
    this.tail += count;
  }

  /** Everything before `head` is used up. */
  consumeTo(head: number): void {
    if (head < this.tail) {
      this.head = head;
      return;
    }
    if (this.bytes.length > INITIAL_BYTES) this.#shrink();
    this.head = 0;
    this.tail = 0;
  }

  clear(): void {
    this.bytes = EMPTY;
    this.head = 0;
    this.tail = 0;
    this.#peak = 0;
  }

  #shrink(): void {
    const used = Math.max(this.#peak, this.tail);
    this.#peak = 0;
    if (used * 4 <= this.bytes.length) this.bytes = EMPTY;
  }

  #makeRoom(count: number): void {
    const held = this.tail - this.head;
    const needed = held + count;
    this.#peak = Math.max(this.#peak, needed);
    let capacity = Math.max(this.bytes.length, INITIAL_BYTES);
    // At least half is free after every move: the cost of moving is spread over as many bytes as are moved.
    while (needed > capacity || held * 2 > capacity) capacity *= 2;
    while (needed * 4 <= capacity && capacity > INITIAL_BYTES) capacity /= 2;
    if (capacity === this.bytes.length) {
      this.bytes.copyWithin(0, this.head, this.tail);
    } else {
      const larger = new Uint8Array(capacity);
      larger.set(this.bytes.subarray(this.head, this.tail));
      this.bytes = larger;
    }
    this.head = 0;
    this.tail = held;
  }
}
