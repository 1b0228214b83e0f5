import type { PayloadJudge } from './framing.ts';

/** A frame within a burst: all of it from `start` to `end`, its payload up to `payloadEnd`. */
export interface BurstFrame {
  readonly start: number;
  readonly payloadEnd: number;
  readonly end: number;
}

/** A frame whose payload is a declared message. */
interface KnownFrame extends BurstFrame {
  /** Bits that must agree by chance where it is none. */
  readonly bits: number;
}

/** A right frame in front of others that fill the burst up to its end. */
interface Filling {
  readonly frame: BurstFrame;
  readonly known: boolean;
  /** How many of all these frames are of no declared message, and how many there are. */
  readonly unknown: number;
  readonly count: number;
}

/** How a burst was read. */
export interface BurstReading {
  readonly frames: readonly BurstFrame[];
  /** The search ended before it had looked everywhere. */
  readonly exhausted: boolean;
}

/** Takes each range that may be a frame, the last start first; false ends the search. */
export type FindRanges = (take: (start: number, payloadEnd: number, end: number) => boolean) => void;

/** Bytes of noise around a frame that may be looked past on the word of a checksum of 16 bits alone. */
export const NEAR_BYTES = 4;
/** Bits that a frame proves itself by next to a little noise, and wherever it stands. */
const NEAR_BITS = 16;
const FAR_BITS = 24;
/** Bytes that a search touches for each byte of a burst, and those that it may touch in any burst. */
const TOUCHED_PER_BYTE = 64;
const TOUCHED_AT_LEAST = 16_384;

export interface SearchParts {
  readonly judge: PayloadJudge | undefined;
  /** Bits of the checksum that `find` compares; 0 where the messages alone decide. */
  readonly checksumBits: number;
  /** The message whose reply is the only one that can come now. */
  awaited(): string | undefined;
}

/**
 * Finds the frames of a burst that is not simply one frame. Which reading wins:
 *
 * 1. The whole burst is known frames, one behind the other.
 * 2. The whole burst is one right frame, though of no declared message: a known frame between zero bytes in it, which
 *    keep many checksums right; else that frame.
 * 3. The whole burst is right frames, one behind the other; a known frame between zero bytes instead of an unknown one.
 * 4. Known frames, from the front: an awaited reply before what overlaps it; of those with one start the nearest end,
 *    save where that leaves a single zero byte, which every 256th checksum ends in.
 */
export class BurstSearch {
  readonly #parts: SearchParts;
  #bytes: Uint8Array = new Uint8Array(0);
  #head = 0;
  #tail = 0;
  /** The first start first, for each start the nearest end. */
  #known: KnownFrame[] = [];
  /** For each place the frame by which right frames fill the burst up to its end, with the fewest unknown ones. */
  #filling = new Map<number, Filling>();

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** `right`: the burst is one frame with a right checksum. `cut`: it has no beginning, or no end yet. */
  read(
    bytes: Uint8Array,
    head: number,
    tail: number,
    whole: { readonly right: boolean; readonly cut: boolean },
    find: FindRanges,
  ): BurstReading {
    this.#bytes = bytes;
    this.#head = head;
    this.#tail = tail;
    const exhausted = !this.#gather(find, whole.cut);
    const frames = this.#choose(whole);
    this.#known = [];
    this.#filling.clear();
    return { frames, exhausted };
  }

  /** False where it cost too much to look everywhere. */
  #gather(find: FindRanges, cut: boolean): boolean {
    const { judge, checksumBits } = this.#parts;
    let credit = TOUCHED_PER_BYTE * (this.#tail - this.#head) + TOUCHED_AT_LEAST;
    const found: KnownFrame[] = [];
    let group: KnownFrame[] = [];
    find((start, payloadEnd, end) => {
      const proof = judge?.proof?.(this.#bytes, start, payloadEnd) ?? { bits: -1, touched: 0 };
      credit -= 1 + proof.touched;
      const frame = { start, payloadEnd, end };
      if (checksumBits >= NEAR_BITS || proof.bits >= 0) this.#fill(frame, proof.bits >= 0);
      const bits =
        judge?.proof === undefined ? checksumBits : proof.bits < 0 ? -1 : checksumBits + proof.bits;
      if (bits >= FAR_BITS || (bits >= NEAR_BITS && !cut && this.#isNear(frame))) {
        if (group[0] !== undefined && group[0].start !== start) {
          found.push(...group.reverse());
          group = [];
        }
        group.push({ ...frame, bits });
      }
      return credit > 0;
    });
    found.push(...group.reverse());
    this.#known = found.reverse();
    return credit > 0;
  }

  /** So few places are near that chance makes no frame there; fewer where no message says what a frame is. */
  #isNear({ start, end }: BurstFrame): boolean {
    const front = start - this.#head;
    const behind = this.#tail - end;
    if (this.#parts.judge?.proof === undefined && front > 0 && behind > 0) return false;
    return front + behind <= NEAR_BYTES;
  }

  #fill(frame: BurstFrame, known: boolean): void {
    const behind = frame.end === this.#tail ? { unknown: 0, count: 0 } : this.#filling.get(frame.end);
    if (behind === undefined) return;
    const unknown = behind.unknown + (known ? 0 : 1);
    const present = this.#filling.get(frame.start);
    if (present !== undefined && present.unknown <= unknown) return;
    this.#filling.set(frame.start, { frame, known, unknown, count: behind.count + 1 });
  }

  #choose({ right, cut }: { readonly right: boolean; readonly cut: boolean }): readonly BurstFrame[] {
    const filling = cut ? undefined : this.#filling.get(this.#head);
    const several = filling !== undefined && filling.count > 1;
    if (several && filling.unknown === 0) return this.#filled();
    if (right) return this.#fromFront(this.#amongZeros({ start: this.#head, end: this.#tail }));
    return several ? this.#filled() : this.#fromFront(this.#known);
  }

  #filled(): readonly BurstFrame[] {
    const frames: BurstFrame[] = [];
    let next = this.#filling.get(this.#head);
    while (next !== undefined) {
      const { frame, known } = next;
      frames.push((known ? undefined : this.#amongZeros(frame)[0]) ?? frame);
      next = this.#filling.get(frame.end);
    }
    return frames;
  }

  /** The known frames of a range with nothing but zero bytes around them. */
  #amongZeros(range: Pick<BurstFrame, 'start' | 'end'>): readonly KnownFrame[] {
    let first = range.start;
    let last = range.end;
    while (first < last && this.#bytes[first] === 0) first++;
    while (last > first && this.#bytes[last - 1] === 0) last--;
    return this.#known.filter(
      ({ start, end }) => start >= range.start && end <= range.end && start <= first && end >= last,
    );
  }

  #fromFront(known: readonly KnownFrame[]): readonly BurstFrame[] {
    const frames: BurstFrame[] = [];
    const awaited = known.length > 1 ? this.#awaited(known) : NONE;
    const inOrder = [...awaited];
    const starts = new Set(known.map(({ start }) => start));
    let at = this.#head;
    let ahead = 0;
    for (let index = 0; index < known.length; ) {
      const begin = known[index]?.start ?? 0;
      let next = index + 1;
      while (known[next]?.start === begin) next++;
      const group = known.slice(index, next);
      index = next;
      if (begin < at) continue;
      const chosen = group.find((frame) => awaited.has(frame)) ?? this.#nearest(group, starts);
      if (!awaited.has(chosen)) {
        while ((inOrder[ahead]?.start ?? this.#tail) < begin) ahead++;
        if ((inOrder[ahead]?.start ?? this.#tail) < chosen.end) continue;
      }
      frames.push(chosen);
      at = chosen.end;
    }
    return frames;
  }

  /** The nearest end, save where that leaves a single zero byte in front of the end, or of another frame. */
  #nearest(group: readonly KnownFrame[], starts: ReadonlySet<number>): KnownFrame {
    const [first, second, third] = group as [KnownFrame, ...KnownFrame[]]; // a group has its first member
    if (second === undefined || second.end !== first.end + 1 || this.#bytes[first.end] !== 0) return first;
    if (third !== undefined && third.end === second.end + 1 && this.#bytes[second.end] === 0) return first;
    return second.end === this.#tail || starts.has(second.end) ? second : first;
  }

  #awaited(known: readonly KnownFrame[]): ReadonlySet<KnownFrame> {
    const name = this.#parts.awaited();
    const { judge } = this.#parts;
    if (name === undefined || judge?.proof === undefined) return NONE;
    const proof = judge.proof.bind(judge);
    return new Set(
      known.filter(({ start, payloadEnd }) => proof(this.#bytes, start, payloadEnd, name).bits >= 0),
    );
  }
}

const NONE: ReadonlySet<KnownFrame> = new Set();
