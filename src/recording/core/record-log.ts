import type { ByteRing, RingLimits } from './byte-ring.ts';

/** Bytes of one block; a power of two. */
export const BLOCK_BYTES = 64 * 1024;
/** Blocks that may stand beside what is worth keeping. */
const SLACK_BYTES = 16 * BLOCK_BYTES;
/** Blocks that are given up for one that is begun, while there is room: nothing waits for long. */
const MOST_RETIRED = 2;
/** Before the bytes of a record: owner and kind, distance to the one before, time, connection and length. */
const HEAD_BYTES = 16;
/** Longer chunks become several records. */
const MOST_LENGTH = 4_095;
const MOST_CONNECTION = 2 ** 20 - 1;
const MOST_BACK = 2 ** 31 - 1;
const MOST_SINCE = 2 ** 32 - 1;
/** A record may be older than the block that it is in by so much: what was held until its device was known. */
const EARLIER_US = 60_000_000;
/** What a record costs in a ring besides its bytes. */
const RECORD_COST = 8;
/** In the kind of a record: no frame was unfinished before it. */
const WHOLE = 0x10;
const KIND = 0x0f;

class Block {
  readonly bytes = new Uint8Array(BLOCK_BYTES);
  readonly words = new Int32Array(this.bytes.buffer);
  length = 0;
  startUs = 0;
  lastUs = 0;
}

/**
 * The newest records of all devices, one behind the other in the order in which they came, so that a record costs one write
 * to memory that was written just before. The ring of a device is cold memory, and is touched only for what is worth keeping
 * when the log gives up its oldest block, or when the records of that device are asked for; each record knows where the one
 * before it of the same device lies.
 */
export class RecordLog {
  readonly #limits: RingLimits;
  #budgetBytes: number;
  /** The oldest first; the last one is being written. */
  #blocks: Block[] = [];
  /** Of the oldest block, among all that there ever were. */
  #firstNumber = 0;
  #spare: Block | undefined;
  /** The present block, and the place in it that is written next. */
  #bytes = new Uint8Array(0);
  #words = new Int32Array(0);
  #startUs = 0;
  #base = 0;
  #at = BLOCK_BYTES;

  readonly #rings: Array<ByteRing | undefined> = [];
  readonly #free: number[] = [];
  /** By owner: its newest record, and from where on records are in no ring. */
  #last = new Float64Array(16);
  #from = new Float64Array(16);
  /** By owner: what its records that are in no ring would take there, and when the newest one came. */
  #pending = new Float64Array(16);
  #lastUs = new Float64Array(16);
  /** By owner: something was handed to its ring, since that was cleared here. */
  #handed = new Uint8Array(16);

  /** `limits` hold for each ring, and may change. */
  constructor(limits: RingLimits, budgetBytes: number) {
    this.#limits = limits;
    this.#budgetBytes = budgetBytes;
  }

  /** Bytes of memory. */
  get held(): number {
    return this.#blocks.length * BLOCK_BYTES;
  }

  /** Other room from now on. */
  resize(budgetBytes: number): void {
    this.#budgetBytes = budgetBytes;
    while (this.#blocks.length > 1 && this.held > budgetBytes) this.#retire();
  }

  /** The number under which the records of this ring are written. */
  join(ring: ByteRing): number {
    const index = this.#free.pop() ?? this.#rings.length;
    this.#rings[index] = ring;
    if (index >= this.#last.length) this.#grow();
    this.#last[index] = Number.NEGATIVE_INFINITY;
    this.#handed[index] = 0;
    this.#forget(index);
    return index;
  }

  /** The ring is of no use any more, and what is here of it neither. */
  leave(index: number): void {
    this.erase(index);
    this.#rings[index] = undefined;
    this.#free.push(index);
  }

  /** Every frame costs this. `kind` as `ByteRing.push` takes it. */
  push(index: number, kind: number, whole: boolean, connection: number, us: number, bytes: Uint8Array): void {
    const { length } = bytes;
    if (length > MOST_LENGTH) return this.#pushLong(index, kind, whole, connection, us, bytes);
    const size = HEAD_BYTES + ((length + 3) & ~3);
    let since = us - this.#startUs;
    if (this.#at + size > BLOCK_BYTES || since > MOST_SINCE) {
      this.#begin(us);
      since = EARLIER_US;
    }
    const to = this.#bytes;
    const words = this.#words;
    let at = this.#at;
    const position = this.#base + at;
    const back = position - (this.#last[index] ?? 0);
    const word = at >>> 2;
    words[word] = (index << 8) | (whole ? kind | WHOLE : kind);
    words[word + 1] = back <= MOST_BACK ? back : 0;
    words[word + 2] = since > 0 ? since : 0;
    words[word + 3] = ((connection < MOST_CONNECTION ? connection : MOST_CONNECTION) << 12) | length;
    this.#at = at + size;
    at += HEAD_BYTES;
    if (length < 48) for (let from = 0; from < length; from++) to[at++] = bytes[from] ?? 0;
    else to.set(bytes, at);
    this.#last[index] = position;
    this.#pending[index] = (this.#pending[index] ?? 0) + length + RECORD_COST;
    this.#lastUs[index] = us;
  }

  /** Hands the records of one device to its ring, as far as they have room there. */
  collect(index: number): void {
    if (this.#pending[index] === 0) return;
    const positions: number[] = [];
    let room = this.#limits.maxBytes;
    for (const position of this.#backwards(index, this.#from[index] ?? 0)) {
      room -= this.#lengthAt(position) + RECORD_COST;
      if (room < 0) {
        this.#clear(index);
        break;
      }
      positions.push(position);
    }
    for (let each = positions.length - 1; each >= 0; each--) this.#handOver(index, positions[each] ?? 0);
    this.#forget(index);
  }

  /** A time before that of every record of this device; undefined where it has none here. */
  beginningUs(index: number): number | undefined {
    if (this.#pending[index] === 0) return undefined;
    const block = this.#blockOf(this.#from[index] ?? 0) ?? this.#blocks[0];
    return block?.startUs;
  }

  /** What one device said is overwritten. */
  erase(index: number): void {
    for (const position of this.#backwards(index, 0)) {
      const block = this.#blockOf(position);
      const start = (position % BLOCK_BYTES) + HEAD_BYTES;
      block?.bytes.fill(0, start, start + this.#lengthAt(position));
    }
    this.#forget(index);
    if (this.#pending.some((bytes) => bytes > 0)) return;
    this.#firstNumber += this.#blocks.length;
    this.#blocks = [];
    this.#spare = undefined;
    this.#at = BLOCK_BYTES;
    this.#startUs = 0;
  }

  get #end(): number {
    return this.#blocks.length === 0 ? this.#firstNumber * BLOCK_BYTES : this.#base + this.#at;
  }

  /** Nothing of it is to go to its ring any more. */
  #forget(index: number): void {
    this.#from[index] = this.#end;
    this.#pending[index] = 0;
  }

  #blockOf(position: number): Block | undefined {
    return this.#blocks[Math.floor(position / BLOCK_BYTES) - this.#firstNumber];
  }

  #lengthAt(position: number): number {
    const tail = this.#blockOf(position)?.words[((position % BLOCK_BYTES) >>> 2) + 3] ?? 0;
    return tail & MOST_LENGTH;
  }

  /** Where its records lie that are still here, the newest first. */
  *#backwards(index: number, from: number): Generator<number> {
    const first = Math.max(from, this.#firstNumber * BLOCK_BYTES);
    for (let position = this.#last[index] ?? -1; position >= first; ) {
      yield position;
      const back = this.#blockOf(position)?.words[((position % BLOCK_BYTES) >>> 2) + 1] ?? 0;
      if (back === 0) return;
      position -= back;
    }
  }

  #clear(index: number): void {
    if (this.#handed[index] === 0) return;
    this.#handed[index] = 0;
    this.#rings[index]?.clear();
  }

  #handOver(index: number, position: number): void {
    const ring = this.#rings[index];
    const block = this.#blockOf(position);
    if (ring === undefined || block === undefined) return;
    this.#handed[index] = 1;
    const { words, bytes, startUs } = block;
    const at = position % BLOCK_BYTES;
    const word = at >>> 2;
    const head = words[word] ?? 0;
    const tail = words[word + 3] ?? 0;
    const start = at + HEAD_BYTES;
    const us = startUs + ((words[word + 2] ?? 0) >>> 0);
    ring.push(head & KIND, (head & WHOLE) !== 0, tail >>> 12, us, bytes, start, start + (tail & MOST_LENGTH));
  }

  #pushLong(
    index: number,
    kind: number,
    whole: boolean,
    connection: number,
    us: number,
    bytes: Uint8Array,
  ): void {
    for (let at = 0; at < bytes.length; at += MOST_LENGTH)
      this.push(index, kind, whole && at === 0, connection, us, bytes.subarray(at, at + MOST_LENGTH));
  }

  /** A block for what comes next. */
  #begin(us: number): void {
    const present = this.#blocks.at(-1);
    if (present !== undefined) {
      present.length = this.#at;
      present.lastUs = us;
    }
    this.#makeRoom(us);
    const block = this.#spare ?? new Block();
    this.#spare = undefined;
    this.#base = (this.#firstNumber + this.#blocks.length) * BLOCK_BYTES;
    this.#blocks.push(block);
    block.startUs = us - EARLIER_US;
    this.#bytes = block.bytes;
    this.#words = block.words;
    this.#startUs = block.startUs;
    this.#at = 0;
  }

  #makeRoom(us: number): void {
    const { maxBytes, keepUs } = this.#limits;
    let worth = SLACK_BYTES;
    // A record takes twice as much here as in a ring, at the most.
    for (const bytes of this.#pending) worth += 2 * (bytes < maxBytes ? bytes : maxBytes);
    for (let retired = 0; ; retired++) {
      const [oldest] = this.#blocks;
      if (oldest === undefined) return;
      const full = this.held + BLOCK_BYTES > this.#budgetBytes;
      const useless = this.held > worth || us - oldest.lastUs > keepUs;
      if (!full && (!useless || retired >= MOST_RETIRED)) return;
      this.#retire();
    }
  }

  /** Gives up the oldest block: what is still worth keeping in it goes to its ring. */
  #retire(): void {
    const [block] = this.#blocks;
    if (block === undefined) return;
    const { maxBytes, keepUs } = this.#limits;
    const { words, length, startUs } = block;
    const base = this.#firstNumber * BLOCK_BYTES;
    for (let at = 0; at < length; ) {
      const word = at >>> 2;
      const index = (words[word] ?? 0) >>> 8;
      const size = (words[word + 3] ?? 0) & MOST_LENGTH;
      if (base + at >= (this.#from[index] ?? 0)) {
        const pending = this.#pending[index] ?? 0;
        const laterUs = (this.#lastUs[index] ?? 0) - startUs - ((words[word + 2] ?? 0) >>> 0);
        // What is older still, in its ring, is of no use then either.
        if (pending > maxBytes || laterUs > keepUs) this.#clear(index);
        else this.#handOver(index, base + at);
        this.#pending[index] = pending - size - RECORD_COST;
      }
      at += HEAD_BYTES + ((size + 3) & ~3);
    }
    this.#blocks.shift();
    this.#firstNumber += 1;
    this.#spare = block;
  }

  #grow(): void {
    const grown = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(from.length * 2);
      larger.set(from);
      return larger;
    };
    const handed = new Uint8Array(this.#handed.length * 2);
    handed.set(this.#handed);
    this.#handed = handed;
    this.#last = grown(this.#last);
    this.#from = grown(this.#from);
    this.#pending = grown(this.#pending);
    this.#lastUs = grown(this.#lastUs);
  }
}
