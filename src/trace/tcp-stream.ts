/** Bytes that may wait for a segment that is missing. */
const MOST_WAITING = 4 * 1024 * 1024;

/** What comes out of one direction of a connection, in the order of its bytes. */
export type StreamPart =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** The capture does not hold these bytes. */
  | { readonly kind: 'gap'; readonly bytes: number };

interface Waiting {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** How far b lies behind a in the circle of sequence numbers; negative where before. */
const distance = (a: number, b: number): number => (b - a) | 0;

/** Puts the segments of one direction in order: retransmissions count once, overlaps and late ones find their place. */
export class TcpStream {
  #next: number | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;

  /** The sequence number of the first byte, as a SYN says; a capture that begins later takes the first one it sees. */
  begin(seq: number): void {
    this.#next = seq >>> 0;
  }

  push(seq: number, bytes: Uint8Array): StreamPart[] {
    if (bytes.length === 0) return [];
    this.#next ??= seq;
    this.#waiting.push({ seq, bytes });
    this.#waitingBytes += bytes.length;
    const parts = this.#take();
    while (this.#waitingBytes > MOST_WAITING) parts.push(...this.#skip());
    return parts;
  }

  /** Nothing follows: what waits is told, with the gaps before it. */
  finish(): StreamPart[] {
    const parts: StreamPart[] = [];
    while (this.#waiting.length > 0) parts.push(...this.#skip());
    return parts;
  }

  /** What follows without a gap. */
  #take(): StreamPart[] {
    const parts: StreamPart[] = [];
    for (;;) {
      const index = this.#waiting.findIndex(({ seq }) => distance(this.#next ?? seq, seq) <= 0);
      const segment = this.#waiting[index];
      if (segment === undefined) return parts;
      this.#waiting.splice(index, 1);
      this.#waitingBytes -= segment.bytes.length;
      const known = -distance(this.#next ?? segment.seq, segment.seq);
      const fresh = segment.bytes.subarray(known);
      if (fresh.length === 0) continue;
      parts.push({ kind: 'bytes', bytes: fresh });
      this.#next = ((this.#next ?? 0) + fresh.length) >>> 0;
    }
  }

  #skip(): StreamPart[] {
    const next = this.#next ?? 0;
    const distances = this.#waiting.map(({ seq }) => distance(next, seq));
    const gap = Math.min(...distances);
    this.#next = (next + gap) >>> 0;
    return [{ kind: 'gap', bytes: gap }, ...this.#take()];
  }
}
