import {
  BUSY,
  createBoard,
  DONE,
  FAILED,
  PENDING,
  PUBLISHED,
  SETTLED,
  SHORT,
  setEntry,
  slotsOf,
  stateAt,
  type WriteBoard,
  type WriteSome,
} from './write-board.ts';

/** A connection whose bytes go out together with the same bytes of others. */
export interface GroupMember {
  /** Its socket has not taken this part of the bytes: they go the usual way. */
  tookLess(rest: Uint8Array): void;
  /** Its socket is broken, by an error of the system; without one, it is unknown how much of the bytes it took. */
  broken(errorNumber?: number): void;
}

/** Threads that write what is on a board. */
export interface WriteThreads {
  readonly board: WriteBoard;
  /** Fewer entries are written by the main thread before another one would be awake. */
  readonly worthWaking: number;
  /** Entries were published. */
  wake(): void;
}

/** No slot of the board. */
export const NO_SLOT = -1;

/** Entries that wait on this thread, and on a board for several: a power of two. */
const OWN_SLOTS = 128;
const SHARED_SLOTS = 16_384;
/** Pieces of one slice; a piece is 64 KiB at most where one message alone is not larger. */
const DATA_BYTES = 1024 * 1024;
/** Entries and bytes of one call on this thread: the slice looks at the clock in between. */
const CALL_ENTRIES = 64;
const CALL_BYTES = 1024 * 1024;
/** Entries that this thread writes in one turn of the loop while others write too. */
const HELP_ENTRIES = 32;
/** A thread that is in the middle of one entry is waited for so long. */
const BUSY_WAIT_MS = 1;
const BUSY_WAITS = 1_000;

/**
 * Collects the writes of a slice that carry the very same bytes, and makes them with few calls: on this thread at the
 * end of the slice, or on several threads from then on.
 *
 *     begin ──▶ add, add, ... ──▶ end ──▶ written by this thread ────────────────▶ idle
 *                                  └─────▶ published to threads, busy ──all done──┘
 *
 * A socket has one entry at most; `settle` takes it back before anything else is written to the socket, or its
 * descriptor is closed. So nothing overtakes, and no descriptor is used that belongs to another socket by then.
 */
export class GroupWriter {
  readonly #board: WriteBoard;
  readonly #writeSome: WriteSome;
  readonly #threads: WriteThreads | undefined;
  readonly #slots: number;
  readonly #members: Array<GroupMember | undefined> = [];
  readonly #pieces: Array<Uint8Array | undefined> = [];
  #onceIdle: Array<() => void> = [];
  #collecting = 0;
  /** Counters that run for ever, as the board has them. */
  #next = 0;
  #freed = 0;
  #short = 0;
  #callBytes = 0;
  #piece: Uint8Array | undefined;
  #pieceAt = 0;
  #dataEnd = 0;
  #helping: NodeJS.Immediate | undefined;

  constructor(writeSome: WriteSome, threads?: WriteThreads) {
    this.#writeSome = writeSome;
    this.#threads = threads;
    this.#board = threads?.board ?? createBoard(OWN_SLOTS, DATA_BYTES, false);
    this.#slots = slotsOf(this.#board);
  }

  /** A board for threads. */
  static sharedBoard(): WriteBoard {
    return createBoard(SHARED_SLOTS, DATA_BYTES, true);
  }

  /** A slice begins. */
  begin(): void {
    this.#collecting++;
  }

  /** A slice ends: what was added is written, or under way. */
  end(): void {
    this.#collecting--;
    if (this.#collecting === 0) this.flush();
  }

  /** What was added so far is written, or under way. */
  flush(): void {
    if (this.#next === this.#freed) return;
    if (this.#threads === undefined) this.#writeAll();
    else this.#publish(this.#threads);
  }

  /** Something is under way. */
  get busy(): boolean {
    return this.#next !== this.#freed;
  }

  /** To be called while it is busy: acts once when it no longer is. */
  onceIdle(act: () => void): void {
    this.#onceIdle.push(act);
  }

  /**
   * Takes over bytes for a socket that has nothing else to write; returns the slot, which may be free again by then, or
   * `NO_SLOT` where the bytes are to go the usual way.
   */
  add(member: GroupMember, descriptor: number, bytes: Uint8Array): number {
    if (this.#collecting === 0 || ((this.#next - this.#freed) | 0) >= this.#slots) return NO_SLOT;
    if (bytes !== this.#piece && !this.#place(bytes)) return NO_SLOT;
    const slot = this.#next & (this.#slots - 1);
    setEntry(this.#board.entries, slot, descriptor, this.#pieceAt, bytes.length);
    this.#members[slot] = member;
    this.#pieces[slot] = bytes;
    this.#next = (this.#next + 1) | 0;
    if (this.#threads !== undefined) return slot;
    this.#callBytes += bytes.length;
    if (((this.#next - this.#freed) | 0) >= CALL_ENTRIES || this.#callBytes >= CALL_BYTES) this.#writeAll();
    return slot;
  }

  /** Nothing of this member is under way when it returns; what its socket did not take was given back to it. */
  settle(slot: number, member: GroupMember): void {
    if (this.#members[slot] !== member) return;
    this.#members[slot] = undefined;
    const bytes = this.#pieces[slot] ?? new Uint8Array();
    const { entries } = this.#board;
    const at = stateAt(slot);
    let state = Atomics.compareExchange(entries, at, PENDING, SETTLED);
    for (let waits = 0; state === BUSY && waits < BUSY_WAITS; waits++) {
      if (entries.buffer instanceof SharedArrayBuffer) Atomics.wait(entries, at, BUSY, BUSY_WAIT_MS);
      state = Atomics.load(entries, at);
    }
    if (state === BUSY) member.broken();
    else giveBack(member, bytes, state);
  }

  /** The threads are gone: what they left is given back. */
  abandon(): void {
    clearImmediate(this.#helping);
    this.#helping = undefined;
    const left: Array<readonly [slot: number, member: GroupMember]> = [];
    for (let at = this.#freed; at !== this.#next; at = (at + 1) | 0) {
      const slot = at & (this.#slots - 1);
      const member = this.#members[slot];
      if (member !== undefined) left.push([slot, member]);
    }
    const { entries, head } = this.#board;
    for (const [slot, member] of left) {
      const state = Atomics.load(entries, stateAt(slot));
      const bytes = this.#pieces[slot] ?? new Uint8Array();
      this.#members[slot] = undefined;
      if (state === BUSY) member.broken();
      else giveBack(member, bytes, state);
    }
    head.fill(0);
    this.#next = 0;
    this.#short = 0;
    this.#freed = 0;
    this.#free();
  }

  /** A thread has written the last entries that were published. */
  readonly threadsDone = (): void => {
    if (Atomics.load(this.#board.head, DONE) === this.#next && this.busy) this.#complete();
  };

  /** Copies a piece to the board; false where there is no room for it now. */
  #place(bytes: Uint8Array): boolean {
    if (this.#next === this.#freed) this.#dataEnd = 0;
    if (this.#dataEnd + bytes.length > DATA_BYTES) {
      if (this.#threads !== undefined || bytes.length > DATA_BYTES) return false;
      this.#writeAll();
      this.#dataEnd = 0;
    }
    this.#board.data.set(bytes, this.#dataEnd);
    this.#piece = bytes;
    this.#pieceAt = this.#dataEnd;
    this.#dataEnd += bytes.length;
    return true;
  }

  #writeAll(): void {
    const { head, entries, data } = this.#board;
    Atomics.store(head, PUBLISHED, this.#next);
    while (this.#writeSome(head, entries, data, CALL_ENTRIES) > 0);
    this.#complete();
  }

  #publish(threads: WriteThreads): void {
    const { head, entries, data } = this.#board;
    const former = Atomics.exchange(head, PUBLISHED, this.#next);
    if (((this.#next - former) | 0) >= threads.worthWaking) {
      threads.wake();
      this.#helping ??= setImmediate(this.#help);
    } else {
      while (this.#writeSome(head, entries, data, CALL_ENTRIES) > 0);
      this.threadsDone();
    }
  }

  /** This thread has nothing better to do than the others. */
  readonly #help = (): void => {
    this.#helping = undefined;
    const { head, entries, data } = this.#board;
    const count = this.#writeSome(head, entries, data, HELP_ENTRIES);
    this.threadsDone();
    if (count > 0 && this.busy) this.#helping = setImmediate(this.#help);
  };

  /** All that was added is written, as far as the sockets took it. */
  #complete(): void {
    const { head, entries } = this.#board;
    const short = Atomics.load(head, SHORT);
    const behind: Array<readonly [member: GroupMember, bytes: Uint8Array, count: number]> = [];
    const [from, count] = [this.#freed, (this.#next - this.#freed) | 0];
    for (let index = 0; index < count; index++) {
      const slot = (from + index) & (this.#slots - 1);
      const [member, bytes] = [this.#members[slot], this.#pieces[slot]];
      if (short !== this.#short && member !== undefined && bytes !== undefined) {
        const taken = Atomics.load(entries, stateAt(slot));
        if (taken < bytes.length) behind.push([member, bytes, taken]);
      }
      this.#members[slot] = undefined;
      this.#pieces[slot] = undefined;
    }
    this.#short = short;
    this.#freed = this.#next;
    this.#free();
    for (const [member, bytes, taken] of behind) giveBack(member, bytes, taken);
  }

  #free(): void {
    this.#callBytes = 0;
    const waiting = this.#onceIdle;
    if (waiting.length === 0) return;
    this.#onceIdle = [];
    for (const act of waiting) act();
  }
}

/** `state`: the bytes that the socket took, an error, or that nothing was tried. */
function giveBack(member: GroupMember, bytes: Uint8Array, state: number): void {
  if (state <= FAILED) {
    member.broken(FAILED - state);
    return;
  }
  const taken = Math.max(0, state);
  if (taken < bytes.length) member.tookLess(bytes.subarray(taken));
}
