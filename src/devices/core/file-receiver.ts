import type { Instant } from '../../instant.ts';
import { bytesOf, type DeclaredReply, type DeclaredRequest } from '../../protocol/index.ts';
import { type ChunkMessage, chunkMessage } from './chunk-message.ts';
import type { MessageCatalog } from './message-catalog.ts';
import { chunkSum, type PartialUpload, type UploadCheckpoint, type WholeFile } from './partial-upload.ts';
import type { Effect } from './session-events.ts';

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

/** Why a chunk is not taken; the device gets -1. */
type Refusal = 'out_of_order' | 'too_large' | 'too_many' | 'contradictory' | 'not_stored';

/** What becomes of a chunk. */
export type ReceiveVerdict =
  /** To be written behind what is there; `stored` is to be called, and only then is the chunk acknowledged. */
  | {
      readonly do: 'store';
      readonly transfer: number;
      readonly index: number;
      readonly offset: number;
      readonly last: boolean;
      /** How far the file is with it; absent where it is whole. */
      readonly checkpoint?: UploadCheckpoint;
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
  /** What an earlier run knew of the whole file, until the first chunk of this run says the same. */
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
    // The file starts again while the disk writes a chunk of the former one: no repetition.
    if (index === 0 && current.storing !== undefined) return { do: 'refuse', why: 'out_of_order' };
    if (index < current.next) return { do: 'acknowledge' };
    if (index > current.next) return { do: 'refuse', why: 'out_of_order' };
    return this.#store(current, { transfer, index, total, data, whole });
  }

  /** The chunk that was to be stored is, or could not be. Returns whether the file is whole now. */
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
    const checkpoint: UploadCheckpoint = {
      total,
      next: index + 1,
      lastSum,
      ...(whole === undefined ? {} : { whole }),
    };
    return { do: 'store', transfer, index, offset, last: false, checkpoint };
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

/** A first chunk starts the file again, unless it is the one that came last. */
function isNew(partial: Partial, sum: number, whole: WholeFile): boolean {
  const repeats = partial.storing === 0 || (partial.storing === undefined && partial.next === 1);
  const same = repeats && partial.lastSum === sum && !saysOtherwise(partial, whole);
  return !same && partial.storing === undefined;
}

function saysOtherwise({ toSay }: Partial, { size, crc32 }: WholeFile): boolean {
  return toSay !== undefined && (toSay.size !== size || toSay.crc32 !== crc32);
}

/** The error code with which a chunk is refused. */
const REFUSED = -1;

/** Files that one device sends: its chunks are stored one by one, and each is answered when it is safe. */
export class ReceivedFiles {
  readonly #message: ChunkMessage;
  readonly #receiver: FileReceiver;
  readonly #emit: (effect: Effect) => void;
  /** Chunks of the present link whose answer waits for the disk. */
  readonly #answers = new Map<number, DeclaredReply>();

  constructor(message: ChunkMessage, limits: ReceiverLimits, emit: (effect: Effect) => void) {
    this.#message = message;
    this.#receiver = new FileReceiver(limits);
    this.#emit = emit;
  }

  nextDeadline(): number {
    return this.#receiver.nextDeadline();
  }

  /** Goes on with files that an earlier run has stored the first chunks of. */
  restore(partials: readonly PartialUpload[], now: Instant): void {
    for (const partial of partials) {
      if (!this.#receiver.restore(partial, now.monoMs))
        this.#emit({ type: 'dropFile', transfer: partial.transfer });
    }
  }

  /** Whether the message is a chunk, which is then dealt with. */
  takes(message: DeclaredRequest, now: Instant): boolean {
    if (message.message !== this.#message.name) return false;
    const chunk = chunkOf(message, this.#message);
    const answer = replyTo(message);
    const verdict = chunk === undefined ? undefined : this.#receiver.chunk(chunk, now.monoMs);
    if (chunk === undefined || verdict === undefined || verdict.do === 'refuse') {
      const why = verdict?.do === 'refuse' ? verdict.why : 'no chunk';
      const text = `a chunk of a file was refused: ${why}`;
      this.#emit({ type: 'log', level: 'warn', reason: 'transfer_refused', text });
      if (chunk !== undefined && verdict?.do === 'refuse' && verdict.givesUp === true) {
        this.#emit({ type: 'dropFile', transfer: chunk.transfer });
      }
      this.#emit({ type: 'send', message: { ...answer, error: REFUSED } });
    } else if (verdict.do === 'acknowledge') {
      this.#emit({ type: 'send', message: answer });
    } else if (verdict.do === 'store') {
      this.#answers.set(chunk.transfer, answer);
      const { do: _, index: _index, ...piece } = verdict;
      const said = chunk.whole === undefined ? {} : { whole: chunk.whole };
      this.#emit({ type: 'storeChunk', ...piece, data: chunk.data, ...said });
    } else {
      // It may have come over the link before this one, which took its answer with it.
      this.#answers.set(chunk.transfer, answer);
    }
    return true;
  }

  /** A chunk is on the disk, or could not be put there. */
  stored(transfer: number, ok: boolean, now: Instant): void {
    this.#receiver.stored(transfer, ok, now.monoMs);
    const answer = this.#answers.get(transfer);
    this.#answers.delete(transfer);
    if (answer !== undefined)
      this.#emit({ type: 'send', message: ok ? answer : { ...answer, error: REFUSED } });
  }

  /** Answers belong to the link of their question. */
  linkLost(): void {
    this.#answers.clear();
  }

  expire(now: Instant): void {
    for (const transfer of this.#receiver.expire(now.monoMs)) this.#emit({ type: 'dropFile', transfer });
  }
}

/** Undefined where the device sends no files, or they are not wanted. */
export function receivedFiles(
  messages: MessageCatalog | undefined,
  limits: ReceiverLimits | undefined,
  emit: (effect: Effect) => void,
): ReceivedFiles | undefined {
  const message = messages && chunkMessage(messages.declarations, 'device');
  return message === undefined || limits === undefined ? undefined : new ReceivedFiles(message, limits, emit);
}

function chunkOf({ fields }: DeclaredRequest, { saysSize, saysCrc }: ChunkMessage): Chunk | undefined {
  const { transfer, index, total, size, file_crc: crc32 } = fields;
  const data = bytesOf(fields.data);
  if (typeof transfer !== 'number' || typeof index !== 'number' || typeof total !== 'number')
    return undefined;
  const whole: WholeFile = {
    ...(saysSize && typeof size === 'number' ? { size } : {}),
    ...(saysCrc && typeof crc32 === 'number' ? { crc32 } : {}),
  };
  return data === undefined ? undefined : { transfer, index, total, data, whole };
}

function replyTo({ message, id }: DeclaredRequest): DeclaredReply {
  const reply = {
    name: 'declared',
    message,
    kind: 'reply',
    error: 0,
    fields: {},
    raw: {},
    issues: [],
  } as const;
  return id === undefined ? reply : { ...reply, id };
}
