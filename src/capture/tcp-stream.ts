import { MinHeap } from '../system/min-heap.ts';

/** Bytes that may wait for a segment that is missing. */
const MOST_WAITING = 4 * 1024 * 1024;
/** What a segment that waits takes besides its bytes. */
const SEGMENT_OVERHEAD = 64;

/** The packet that brought something: its time stamp, and its place in the capture. */
export interface PacketTime {
  readonly epochUs: bigint;
  readonly packet: number;
}

/** What comes out of one direction of a connection, in the order of its bytes, each with when the peer had it. */
export type StreamPart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly at: PacketTime }
  /** The capture does not hold these bytes. */
  | { readonly kind: 'gap'; readonly bytes: number; readonly at: PacketTime };

interface Waiting {
  /** Of its first byte, counted from where the stream began. */
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly at: PacketTime;
}

/** How far b lies behind a in the circle of sequence numbers; negative where before. */
const distance = (a: number, b: number): number => (b - a) | 0;
const later = (a: PacketTime | undefined, b: PacketTime): PacketTime =>
  a !== undefined && a.packet > b.packet ? a : b;

/** Puts the segments of one direction in order: retransmissions count once, overlaps and late ones find their place. */
export class TcpStream {
  /** The sequence number of the next byte, and its place in the stream. */
  #next: number | undefined;
  #position = 0;
  readonly #waiting = new MinHeap<Waiting>((a, b) => a.position < b.position);
  #waitingBytes = 0;
  #lastAt: PacketTime | undefined;

  /**
   * The sequence number of the first byte, as a SYN says, which may be sent again; a capture that begins later takes the
   * first one it sees.
   */
  begin(seq: number): void {
    this.#next ??= seq >>> 0;
  }

  push(seq: number, bytes: Uint8Array, at: PacketTime): StreamPart[] {
    if (bytes.length === 0) return [];
    this.#next ??= seq;
    this.#waiting.push({ position: this.#position + distance(this.#next, seq), bytes, at });
    this.#waitingBytes += bytes.length + SEGMENT_OVERHEAD;
    const parts: StreamPart[] = [];
    this.#take(parts);
    while (this.#waitingBytes > MOST_WAITING) this.#skip(parts);
    return parts;
  }

  /** Nothing follows: what waits is told, with the gaps before it. */
  finish(): StreamPart[] {
    const parts: StreamPart[] = [];
    while (this.#waiting.first !== undefined) this.#skip(parts);
    return parts;
  }

  /** What follows without a gap. */
  #take(parts: StreamPart[]): void {
    for (;;) {
      const segment = this.#waiting.first;
      if (segment === undefined || segment.position > this.#position) return;
      this.#waiting.pop();
      this.#waitingBytes -= segment.bytes.length + SEGMENT_OVERHEAD;
      const fresh = segment.bytes.subarray(this.#position - segment.position);
      if (fresh.length === 0) continue;
      // Bytes behind a segment that came late had to wait for it.
      this.#lastAt = later(this.#lastAt, segment.at);
      parts.push({ kind: 'bytes', bytes: fresh, at: this.#lastAt });
      this.#advance(fresh.length);
    }
  }

  /** Gives up what is missing before the first segment that waits. Bytes behind it were not held up in the peer. */
  #skip(parts: StreamPart[]): void {
    const segment = this.#waiting.first;
    if (segment === undefined) return;
    const gap = segment.position - this.#position;
    this.#lastAt = later(this.#lastAt, segment.at);
    parts.push({ kind: 'gap', bytes: gap, at: this.#lastAt });
    this.#advance(gap);
    this.#take(parts);
  }

  #advance(bytes: number): void {
    this.#next = ((this.#next ?? 0) + bytes) >>> 0;
    this.#position += bytes;
  }
}
