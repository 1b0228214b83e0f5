import type { RingMemory } from './ring-memory.ts';

/** What a record is: bytes of the link, its life, or a line for people. */
export const RECORD_KINDS = ['in', 'out', 'idle', 'dial', 'open', 'close', 'error', 'note'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

/** The number of each kind in the first byte of a record. */
const KIND_NUMBERS = Object.fromEntries(RECORD_KINDS.map((kind, number) => [kind, number])) as Readonly<
  Record<RecordKind, number>
>;
export const IN = KIND_NUMBERS.in;
export const OUT = KIND_NUMBERS.out;
export const numberOf = (kind: RecordKind): number => KIND_NUMBERS[kind];
/** In the first byte of bytes from the peer: no frame was unfinished before them. */
const WHOLE = 0x10;

/** One record, read back. The bytes are those of the ring. */
export interface RingRecord {
  readonly kind: RecordKind;
  readonly connection: number;
  /** Monotonic microseconds. */
  readonly us: number;
  readonly bytes: Uint8Array;
  /** Of bytes from the peer: a frame may begin with them, as far as the decoder knows. */
  readonly whole: boolean;
}

/** A piece of a ring, written from its beginning to its end once. */
export class Segment {
  readonly bytes: Uint8Array;
  /** In the order of the ring; the one behind it has the next number. */
  number = 0;
  length = 0;
  startUs = 0;
  lastUs = 0;
  /** It is read, or is to be: so many readers want its bytes to stay. */
  readers = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }
}

/** Sizes of the first segments; all later ones have the last size. A silent device needs a few beats and no more. */
const SEGMENT_BYTES = [512, 2_048, 8_192] as const;
const LARGEST_SEGMENT = 8_192;
/** The most that stands before the bytes of a record: kind, connection, time, length. */
const MOST_HEAD = 1 + 3 + 8 + 3;
/** Bytes of one record; longer chunks become several. */
const MOST_BYTES = LARGEST_SEGMENT - MOST_HEAD;
const MOST_CONNECTION = 2 ** 21 - 1;
/** Up to here bits may be shifted. */
const MOST_BITS = 2 ** 31 - 1;
/** What a segment costs besides its bytes. */
const SEGMENT_COST = 128;

export interface RingLimits {
  readonly maxBytes: number;
  /** Records that are older than the newest one by so much may go. */
  readonly keepUs: number;
}

/**
 * The last records of one device, as bytes in a few segments: no object for a record, and nothing is moved or read when
 * old ones go. Memory is taken as it is needed; where there is none, the oldest segment is written again.
 */
export class ByteRing {
  readonly #memory: RingMemory;
  readonly #limits: RingLimits;
  /** The oldest first; the last one is being written. */
  #segments: Segment[] = [];
  #last: Segment | undefined;
  #held = 0;
  #nextNumber = 0;

  constructor(memory: RingMemory, limits: RingLimits) {
    this.#memory = memory;
    this.#limits = limits;
  }

  /** Bytes of memory that it has taken. */
  get held(): number {
    return this.#held;
  }

  /** The segments as they are now. The last one grows; `read` reads it to the length that it has then. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Of its oldest record, monotonic; undefined where it is empty. */
  get oldestUs(): number | undefined {
    return this.#segments[0]?.startUs;
  }

  get newestUs(): number | undefined {
    return this.#last?.lastUs;
  }

  /** One record, of a part of `bytes`. `kind` as `numberOf` gives it; times do not go back. */
  push(
    kind: number,
    whole: boolean,
    connection: number,
    us: number,
    bytes: Uint8Array,
    start = 0,
    end = bytes.length,
  ): void {
    const length = end - start;
    let to = this.#last;
    if (to === undefined || to.length + MOST_HEAD + length > to.bytes.length) {
      if (length > MOST_BYTES) return this.#pushLong(kind, whole, connection, us, bytes.subarray(start, end));
      to = this.#begin(us, MOST_HEAD + length);
      if (to === undefined) return;
    }
    const into = to.bytes;
    let at = to.length;
    into[at++] = whole ? kind | WHOLE : kind;
    if (connection < 0x80) into[at++] = connection;
    else at = varint(into, at, Math.min(connection, MOST_CONNECTION));
    let since = us - to.lastUs;
    if (since < 0) since = 0;
    while (since > MOST_BITS) {
      const rest = Math.floor(since / 0x80);
      into[at++] = (since - rest * 0x80) | 0x80;
      since = rest;
    }
    at = varint(into, at, since);
    if (length < 0x80) into[at++] = length;
    else at = varint(into, at, length);
    if (length < 48) for (let index = start; index < end; index++) into[at++] = bytes[index] ?? 0;
    else {
      into.set(bytes.subarray(start, end), at);
      at += length;
    }
    to.length = at;
    if (us > to.lastUs) to.lastUs = us;
  }

  /** Gives up its oldest segment for the ring of another device. */
  shorten(): void {
    if (this.#segments.length > 1) this.#drop();
  }

  /** Gives up what is more than it may hold by now. */
  fit(): void {
    while (this.#held > this.#limits.maxBytes && this.#segments.length > 0) this.#drop();
  }

  /** Forgets all of it. */
  clear(): void {
    while (this.#segments.length > 0) this.#drop();
    this.#last = undefined;
  }

  #pushLong(kind: number, whole: boolean, connection: number, us: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MOST_BYTES)
      this.push(kind, whole && at === 0, connection, us, bytes.subarray(at, at + MOST_BYTES));
  }

  /** The segment for what comes next; undefined where there is no memory at all. */
  #begin(us: number, atLeast: number): Segment | undefined {
    const { keepUs, maxBytes } = this.#limits;
    const oldest = this.#segments[0];
    const dispensable = oldest !== undefined && oldest !== this.#last && us - oldest.lastUs > keepUs;
    const size = this.#sizeFor(atLeast, dispensable);
    const full = this.#held + size + SEGMENT_COST > maxBytes;
    const segment =
      dispensable || full ? this.#instead(size) : (this.#allocate(size) ?? this.#instead(atLeast));
    if (segment === undefined) return undefined;
    segment.number = this.#nextNumber++;
    segment.length = 0;
    segment.startUs = us;
    segment.lastUs = us;
    this.#segments.push(segment);
    this.#last = segment;
    return segment;
  }

  #sizeFor(atLeast: number, dispensable: boolean): number {
    const others = this.#segments.length - (dispensable ? 1 : 0);
    const wanted = SEGMENT_BYTES[Math.min(others, SEGMENT_BYTES.length - 1)] ?? 0;
    return wanted >= atLeast ? wanted : LARGEST_SEGMENT;
  }

  #allocate(size: number): Segment | undefined {
    const cost = size + SEGMENT_COST;
    if (this.#held + cost > this.#limits.maxBytes || !this.#memory.take(this, cost)) return undefined;
    const before = this.#held;
    this.#held += cost;
    this.#memory.resized(this, before);
    return new Segment(size);
  }

  /** One in place of the oldest ones: the oldest itself, where it is large enough and not being read. */
  #instead(size: number): Segment | undefined {
    for (let oldest = this.#segments[0]; oldest !== undefined; oldest = this.#segments[0]) {
      if (oldest.readers === 0 && oldest.bytes.length >= size) {
        this.#segments.shift();
        return oldest;
      }
      this.#drop();
      const made = this.#allocate(size);
      if (made !== undefined) return made;
    }
    return undefined;
  }

  #drop(): void {
    const gone = this.#segments.shift();
    if (gone === undefined) return;
    if (gone === this.#last) this.#last = undefined;
    const before = this.#held;
    this.#held -= gone.bytes.length + SEGMENT_COST;
    this.#memory.give(gone.bytes.length + SEGMENT_COST);
    this.#memory.resized(this, before);
  }
}

/** The records of segments, from the oldest to the newest. */
export function* readSegments(segments: readonly Segment[]): Generator<RingRecord> {
  for (const { bytes, length, startUs } of segments) {
    let us = startUs;
    for (let at = 0; at < length; ) {
      const head = bytes[at++] ?? 0;
      const connection = new Varint(bytes, at);
      const since = new Varint(bytes, connection.end);
      const size = new Varint(bytes, since.end);
      us += since.value;
      at = size.end + size.value;
      yield {
        kind: RECORD_KINDS[head & 0x0f] ?? 'note',
        connection: connection.value,
        us,
        bytes: bytes.subarray(size.end, at),
        whole: (head & WHOLE) !== 0,
      };
    }
  }
}

function varint(into: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    into[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  into[at++] = rest;
  return at;
}

class Varint {
  readonly value: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start: number) {
    let at = start;
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    this.value = value;
    this.end = at;
  }
}
