import { chunkSum } from './chunk-sum.ts';
import type { PartialUpload, UploadCheckpoint } from './partial-upload.ts';

/** One chunk as a device sent it. */
export interface Chunk {
  readonly transfer: number;
  /** From 0. */
  readonly index: number;
  /** Chunks of the whole file. */
  readonly total: number;
  readonly data: Uint8Array;
  /** What the chunk says of the whole file. */
  readonly whole?: WholeFile;
}

/** What a whole file must be, as far as its chunks say. */
export interface WholeFile {
  /** In bytes. */
  readonly size?: number;
  readonly crc32?: number;
}

/** Why a chunk is not taken; the device gets -1. */
export type Refusal = 'out_of_order' | 'too_large' | 'too_many' | 'contradictory' | 'not_stored';

/** What becomes of a chunk. */
export type ReceiveVerdict =
  /** To be written behind what is there; `stored` is to be told, and only then is the chunk acknowledged. */
  | {
      readonly do: 'store';
      readonly transfer: number;
      readonly index: number;
      readonly offset: number;
      readonly last: boolean;
      /** How far the file is with it; absent where it is whole. */
      readonly half?: UploadCheckpoint;
    }
  /** It is there already: acknowledge it. */
  | { readonly do: 'acknowledge' }
  /** It is being written: its acknowledgement comes with that. */
  | { readonly do: 'nothing' }
  | {
      readonly do: 'refuse';
      readonly why: Refusal;
      /** What is there of the file is to be removed. */
      readonly givesUp?: boolean;
    };

export interface ReceiverLimits {
  /** The largest file, in bytes. */
  readonly maxBytes: number;
  /** Files that may be on their way at once. */
  readonly maxTransfers: number;
  /** So long without a chunk, and what is there is given up, in ms. */
  readonly patienceMs: number;
}

interface Partial {
  readonly total: number;
  next: number;
  bytes: number;
  /** A chunk that is being written. */
  storing: number | undefined;
  lastLength: number;
  /** Tells a repetition of the last chunk from another one. */
  lastSum: number;
  touchedAt: number;
  /** What an earlier run was told of the whole file, until the first chunk of this one has said the same. */
  toSay: WholeFile | undefined;
}

interface Complete {
  readonly total: number;
  readonly lastSum: number;
  readonly at: number;
}

/** So long a repeated last chunk is taken for a repetition and not for a new file, in ms. */
const REMEMBERED_MS = 60_000;

const NOTHING: WholeFile = {};

/*
 * absent --chunk 0--> partial --the next chunk, stored--> partial ... --the last one, stored--> complete
 *
 * A chunk that was stored is acknowledged again, because its acknowledgement may have been lost with the link; one
 * that leaves a gap is refused, so that the device can go back. What is there outlives the link, and, where it is
 * restored, the run: a device that says something else of the whole file then is sending another one.
 */

/** Receives the files of one device, chunk by chunk; holds none of their bytes. Instants are monotonic ms. */
export class FileReceiver {
  readonly #limits: ReceiverLimits;
  readonly #partial = new Map<number, Partial>();
  readonly #complete = new Map<number, Complete>();

  constructor(limits: ReceiverLimits) {
    this.#limits = limits;
  }

  /** Goes on from what an earlier run has stored; false where it cannot. */
  restore({ transfer, total, next, bytes, lastSum, whole = NOTHING }: PartialUpload, now: number): boolean {
    const { maxBytes, maxTransfers } = this.#limits;
    if (this.#partial.has(transfer) || this.#partial.size >= maxTransfers) return false;
    if (next < 1 || next >= total || bytes > maxBytes) return false;
    const there = { total, next, bytes, storing: undefined, lastLength: 0, lastSum };
    this.#partial.set(transfer, { ...there, touchedAt: now, toSay: whole });
    return true;
  }

  chunk({ transfer, index, total, data, whole = NOTHING }: Chunk, now: number): ReceiveVerdict {
    this.#forget(now);
    if ((whole.size ?? 0) > this.#limits.maxBytes) return this.#tooLarge(transfer);
    if (total < 1 || index >= total) return { do: 'refuse', why: 'contradictory' };
    const sum = chunkSum(data);
    const current = this.#partial.get(transfer);
    if (current === undefined || (index === 0 && isNew(current, sum, whole))) {
      const done = this.#complete.get(transfer);
      if (index === total - 1 && done?.total === total && done.lastSum === sum) return { do: 'acknowledge' };
      return this.#begin({ transfer, index, total, data, whole }, now);
    }
    if (current.total !== total || saysOtherwise(current, whole))
      return { do: 'refuse', why: 'contradictory' };
    current.touchedAt = now;
    if (current.storing === index) return { do: 'nothing' };
    // It begins anew, while the disk is at a chunk of the former file: not what is there already.
    if (index === 0 && current.storing !== undefined) return { do: 'refuse', why: 'out_of_order' };
    if (index < current.next) return { do: 'acknowledge' };
    if (index > current.next) return { do: 'refuse', why: 'out_of_order' };
    return this.#store(current, { transfer, index, total, data, whole });
  }

  /** The chunk that was to be stored is, or could not be. Tells whether the file is whole now. */
  stored(transfer: number, ok: boolean, now: number): { readonly complete: boolean } {
    const partial = this.#partial.get(transfer);
    if (partial?.storing === undefined) return { complete: false };
    if (!ok) {
      this.#partial.delete(transfer);
      return { complete: false };
    }
    partial.bytes += partial.lastLength;
    partial.next = partial.storing + 1;
    partial.storing = undefined;
    partial.touchedAt = now;
    if (partial.next < partial.total) return { complete: false };
    this.#partial.delete(transfer);
    this.#complete.set(transfer, { total: partial.total, lastSum: partial.lastSum, at: now });
    return { complete: true };
  }

  /** The transfers that are given up now, for what is there of them to be removed. */
  expire(now: number): number[] {
    const out: number[] = [];
    for (const [transfer, { touchedAt, storing }] of this.#partial) {
      if (storing !== undefined || now - touchedAt < this.#limits.patienceMs) continue;
      this.#partial.delete(transfer);
      out.push(transfer);
    }
    return out;
  }

  nextDeadline(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { touchedAt, storing } of this.#partial.values()) {
      if (storing === undefined) next = Math.min(next, touchedAt + this.#limits.patienceMs);
    }
    return next;
  }

  #begin(chunk: Chunk, now: number): ReceiveVerdict {
    const { transfer, index, total } = chunk;
    if (index !== 0) return { do: 'refuse', why: 'out_of_order' };
    const others = this.#partial.size - (this.#partial.has(transfer) ? 1 : 0);
    if (others >= this.#limits.maxTransfers) return { do: 'refuse', why: 'too_many' };
    const partial: Partial = {
      total,
      next: 0,
      bytes: 0,
      storing: undefined,
      lastLength: 0,
      lastSum: 0,
      touchedAt: now,
      toSay: undefined,
    };
    const verdict = this.#store(partial, chunk);
    if (verdict.do === 'store') {
      this.#partial.set(transfer, partial);
      this.#complete.delete(transfer);
    }
    return verdict;
  }

  #store(partial: Partial, { transfer, index, data, whole }: Chunk): ReceiveVerdict {
    if (partial.bytes + data.length > this.#limits.maxBytes) return this.#tooLarge(transfer);
    partial.storing = index;
    partial.lastLength = data.length;
    partial.lastSum = chunkSum(data);
    partial.toSay = undefined;
    const { total, lastSum, bytes: offset } = partial;
    if (index === total - 1) return { do: 'store', transfer, index, offset, last: true };
    const half: UploadCheckpoint = {
      total,
      next: index + 1,
      lastSum,
      ...(whole === undefined ? {} : { whole }),
    };
    return { do: 'store', transfer, index, offset, last: false, half };
  }

  #tooLarge(transfer: number): ReceiveVerdict {
    return { do: 'refuse', why: 'too_large', givesUp: this.#partial.delete(transfer) };
  }

  #forget(now: number): void {
    for (const [transfer, { at }] of this.#complete) {
      if (now - at >= REMEMBERED_MS) this.#complete.delete(transfer);
    }
  }
}

/** A first chunk begins the file anew, unless it is the one that came last. */
function isNew(partial: Partial, sum: number, whole: WholeFile): boolean {
  const repeats = partial.storing === 0 || (partial.storing === undefined && partial.next === 1);
  const same = repeats && partial.lastSum === sum && !saysOtherwise(partial, whole);
  return !same && partial.storing === undefined;
}

function saysOtherwise({ toSay }: Partial, { size, crc32 }: WholeFile): boolean {
  return toSay !== undefined && (toSay.size !== size || toSay.crc32 !== crc32);
}
