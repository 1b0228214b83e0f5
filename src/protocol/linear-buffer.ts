const INITIAL_BYTES = 4096;
/** Up to so many bytes are copied one by one: that is cheaper than to make a view of them. */
const FEW_BYTES = 64;
const EMPTY = new Uint8Array(0);
const EMPTY_VIEW = new DataView(EMPTY.buffer);

/**
 * The bytes of one connection that no frame has used up yet, in one piece: `bytes` from `head` to `tail`. It grows
 * only with bytes that arrive, starts over at the front when it is empty, and gives back what a burst made it take.
 * Every byte is moved a bounded number of times, whatever the sizes of chunks and frames.
 */
export class LinearBuffer {
  bytes: Uint8Array = EMPTY;
  /** The same memory as `bytes`: reads a length in one step. */
  view: DataView = EMPTY_VIEW;
  head = 0;
  tail = 0;
  #peak = 0;

  get length(): number {
    return this.tail - this.head;
  }

  get capacity(): number {
    return this.bytes.length;
  }

  /** Takes the chunk, or what of it stands from `from` on. */
  append(chunk: Uint8Array, from = 0): void {
    const count = chunk.length - from;
    if (this.tail + count > this.bytes.length) this.#makeRoom(count);
    if (from === 0) this.bytes.set(chunk, this.tail);
    else if (count > FEW_BYTES) this.bytes.set(chunk.subarray(from), this.tail);
    else for (let index = 0; index < count; index++) this.bytes[this.tail + index] = chunk[from + index] ?? 0;
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
    this.#use(EMPTY, EMPTY_VIEW);
    this.head = 0;
    this.tail = 0;
    this.#peak = 0;
  }

  #shrink(): void {
    const used = Math.max(this.#peak, this.tail);
    this.#peak = 0;
    if (used * 4 <= this.bytes.length) this.#use(EMPTY, EMPTY_VIEW);
  }

  #use(bytes: Uint8Array, view: DataView): void {
    this.bytes = bytes;
    this.view = view;
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
      this.#use(larger, new DataView(larger.buffer));
    }
    this.head = 0;
    this.tail = held;
  }
}
