import { writeSync } from 'node:fs';

/**
 * The memory that the threads share which write the same bytes to many sockets. `native/group-send.c` knows this layout.
 *
 *     head     published | taken | done | short | wake | stop
 *     entries  descriptor, offset, length, state   descriptor, offset, ...   (a ring; the counters above run for ever)
 *     data     the bytes of each piece, once
 *
 * Each thread takes the next entries with one exchange of `taken`, writes them, and adds them to `done`. The state
 * of an entry is `PENDING`, `BUSY`, the bytes that its socket took, `SETTLED` where its connection took it back, or
 * `FAILED` less the number of an error.
 */
export interface WriteBoard {
  readonly head: Int32Array;
  readonly entries: Int32Array;
  readonly data: Uint8Array;
}

export const PUBLISHED = 0;
export const TAKEN = 1;
export const DONE = 2;
/** Entries whose socket took less than all. */
export const SHORT = 3;
/** Counts up when threads are to look. */
export const WAKE = 4;
export const STOP = 5;
const HEAD_WORDS = 8;

const DESCRIPTOR = 0;
const OFFSET = 1;
const LENGTH = 2;
const STATE = 3;
const ENTRY_WORDS = 4;

export const PENDING = -1;
export const BUSY = -2;
export const SETTLED = -3;
/** Less the number of the error. */
export const FAILED = -1_000;

/** Writes entries that no other thread has taken, `most` at most; returns how many they were. */
export type WriteSome = (head: Int32Array, entries: Int32Array, data: Uint8Array, most: number) => number;

/** `slots` is a power of two. */
export function createBoard(slots: number, dataBytes: number, shared: boolean): WriteBoard {
  const memory = (bytes: number) => (shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes));
  return {
    head: new Int32Array(memory(4 * HEAD_WORDS)),
    entries: new Int32Array(memory(4 * ENTRY_WORDS * slots)),
    data: new Uint8Array(memory(dataBytes)),
  };
}

export const slotsOf = ({ entries }: WriteBoard): number => entries.length / ENTRY_WORDS;

/** Where the state of a slot stands. */
export const stateAt = (slot: number): number => slot * ENTRY_WORDS + STATE;

export function setEntry(
  entries: Int32Array,
  slot: number,
  descriptor: number,
  offset: number,
  length: number,
): void {
  const at = slot * ENTRY_WORDS;
  entries[at + DESCRIPTOR] = descriptor;
  entries[at + OFFSET] = offset;
  entries[at + LENGTH] = length;
  entries[at + STATE] = PENDING;
}

/** What the native part does, for machines without it. */
export const writeSomeInScript: WriteSome = (head, entries, data, most) => {
  let taken = Atomics.load(head, TAKEN);
  let count = 0;
  for (;;) {
    count = Math.min(most, (Atomics.load(head, PUBLISHED) - taken) | 0);
    if (count === 0) return 0;
    const former = Atomics.compareExchange(head, TAKEN, taken, (taken + count) | 0);
    if (former === taken) break;
    taken = former;
  }
  const mask = entries.length / ENTRY_WORDS - 1;
  for (let index = 0; index < count; index++) {
    const at = ((taken + index) & mask) * ENTRY_WORDS;
    // Its connection has written by itself meanwhile.
    if (Atomics.compareExchange(entries, at + STATE, PENDING, BUSY) !== PENDING) continue;
    const length = entries[at + LENGTH] ?? 0;
    const sent = sendSome(entries[at + DESCRIPTOR] ?? -1, data, entries[at + OFFSET] ?? 0, length);
    if (sent < length) Atomics.add(head, SHORT, 1);
    Atomics.store(entries, at + STATE, sent);
  }
  Atomics.add(head, DONE, count);
  return count;
};

/** Full for now, as libuv sees it. */
const FULL: readonly unknown[] = ['EAGAIN', 'ENOBUFS'];

/** Bytes that the socket took, or `FAILED` less the number of the error: the system reports an error only once. */
function sendSome(descriptor: number, data: Uint8Array, offset: number, length: number): number {
  try {
    return writeSync(descriptor, data, offset, length);
  } catch (cause) {
    if (!(cause instanceof Error) || !('errno' in cause) || !('code' in cause)) throw cause;
    // Node has the numbers of errors below zero.
    return FULL.includes(cause.code) ? 0 : FAILED + Number(cause.errno);
  }
}
