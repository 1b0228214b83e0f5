import type { ByteRing } from './byte-ring.ts';

/** Both stay in the cache of the processor; the next record makes room for itself. */
const MOST_BYTES = 64 * 1024;
const MOST_RECORDS = 2_048;
/** Of longer records a copy more would cost more than what it saves. */
const MOST_LENGTH = 2_048;
const NONE = -1;
/** In the kind of a record: no frame was unfinished before it. */
const WHOLE = 0x80;

/**
 * The newest records of all rings, one behind the other, until they go to their rings together. The ring of a device lies
 * in cold memory when its next frame comes, as a hundred others came in between; a write here does not wait for that
 * memory, and a ring is fetched once for many records.
 */
export class StagedRecords {
  readonly #bytes = new Uint8Array(MOST_BYTES);
  readonly #ends = new Int32Array(MOST_RECORDS);
  readonly #kinds = new Uint8Array(MOST_RECORDS);
  readonly #connections = new Int32Array(MOST_RECORDS);
  readonly #us = new Float64Array(MOST_RECORDS);
  readonly #owners = new Int32Array(MOST_RECORDS);
  /** The next record of the same ring, while they are handed out. */
  readonly #next = new Int32Array(MOST_RECORDS);
  #records = 0;
  #length = 0;
  readonly #rings: Array<ByteRing | undefined> = [];
  readonly #free: number[] = [];
  /** The first and the last record of each ring, while they are handed out. */
  #first = new Int32Array(16).fill(NONE);
  #last = new Int32Array(16);

  /** The number under which records of this ring are staged. */
  join(ring: ByteRing): number {
    const index = this.#free.pop() ?? this.#rings.length;
    this.#rings[index] = ring;
    if (index >= this.#first.length) {
      this.#first = new Int32Array(index * 2).fill(NONE);
      this.#last = new Int32Array(index * 2);
    }
    return index;
  }

  /** The ring is of no use any more. */
  leave(index: number): void {
    this.drain();
    this.#rings[index] = undefined;
    this.#free.push(index);
  }

  /** Every frame costs this. `kind` as `ByteRing.push` takes it. */
  push(index: number, kind: number, whole: boolean, connection: number, us: number, bytes: Uint8Array): void {
    const { length } = bytes;
    if (length > MOST_LENGTH) {
      this.drain();
      this.#rings[index]?.push(kind, whole, connection, us, bytes);
      return;
    }
    if (this.#records === MOST_RECORDS || this.#length + length > MOST_BYTES) this.drain();
    const record = this.#records++;
    const to = this.#bytes;
    let at = this.#length;
    if (length < 48) for (let from = 0; from < length; from++) to[at++] = bytes[from] ?? 0;
    else {
      to.set(bytes, at);
      at += length;
    }
    this.#length = at;
    this.#ends[record] = at;
    this.#kinds[record] = whole ? kind | WHOLE : kind;
    this.#connections[record] = connection;
    this.#us[record] = us;
    this.#owners[record] = index;
  }

  /** Hands all of them to their rings. */
  drain(): void {
    const count = this.#records;
    if (count === 0) return;
    const [ends, owners, next, first, last] = [this.#ends, this.#owners, this.#next, this.#first, this.#last];
    for (let record = 0; record < count; record++) {
      const owner = owners[record] ?? 0;
      next[record] = NONE;
      if (first[owner] === NONE) first[owner] = record;
      else next[last[owner] ?? 0] = record;
      last[owner] = record;
    }
    for (let begin = 0; begin < count; begin++) {
      const owner = owners[begin] ?? 0;
      if (first[owner] !== begin) continue;
      first[owner] = NONE;
      const ring = this.#rings[owner];
      for (let record = begin; record !== NONE; record = next[record] ?? NONE) {
        const start = record === 0 ? 0 : (ends[record - 1] ?? 0);
        const kind = this.#kinds[record] ?? 0;
        ring?.push(
          kind & ~WHOLE,
          kind >= WHOLE,
          this.#connections[record] ?? 0,
          this.#us[record] ?? 0,
          this.#bytes,
          start,
          ends[record],
        );
      }
    }
    this.#records = 0;
    this.#length = 0;
  }
}
