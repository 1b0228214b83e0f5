import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type GroupMember, GroupWriter, NO_SLOT } from '../../../src/feed/writes/group-writer.ts';
import { type WriteSome, writeSomeInScript } from '../../../src/feed/writes/write-board.ts';
import { ModelBoard } from '../../support/model-board.ts';

/** A connection over a model socket, which writes as `Connection` does. */
class Member implements GroupMember {
  readonly #writer: GroupWriter;
  readonly #board: ModelBoard;
  readonly descriptor: number;
  #slot = NO_SLOT;
  /** All that was to be written. */
  wanted = '';
  /** Waits in the queue of the socket. */
  queued = '';

  constructor(writer: GroupWriter, board: ModelBoard, descriptor: number) {
    this.#writer = writer;
    this.#board = board;
    this.descriptor = descriptor;
  }

  write(bytes: Uint8Array, shared: boolean): void {
    this.wanted += text(bytes);
    this.settle();
    if (shared && this.queued === '') {
      this.#slot = this.#writer.add(this, this.descriptor, bytes);
      if (this.#slot !== NO_SLOT) return;
    }
    this.queued += text(bytes);
    this.drain(0);
  }

  settle(): void {
    this.#writer.settle(this.#slot, this);
  }

  tookLess(rest: Uint8Array): void {
    this.queued = text(rest) + this.queued;
  }

  broken(): void {
    throw new Error('no thread stops in the middle of an entry');
  }

  /** The peer reads: there is room for so many bytes more. */
  drain(bytes: number): void {
    this.#board.room(this.descriptor, bytes);
    const taken = this.#board.take(this.descriptor, this.queued);
    this.queued = this.queued.slice(taken);
  }
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const member = fc.nat(3);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('pass'), fc.nat(4), fc.integer({ min: 1, max: 9 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('own'), member, fc.integer({ min: 1, max: 9 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('drain'), member, fc.nat(30)) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('work'), fc.nat(3), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('settle'), member, fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('lost'), fc.constant(0), fc.constant(0)) },
);

describe.each(['on this thread', 'by threads'])('bytes that many sockets get, written %s', (where) => {
  it('arrive whole and in order, whatever each socket takes, and whatever comes in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const board = new ModelBoard(where === 'by threads');
        const writer = new GroupWriter(board.writeSome, board.threads);
        const members = [0, 1, 2, 3].map((each) => new Member(writer, board, each));
        let letter = 0;
        const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(97 + (letter++ % 26));
        for (const [kind, a, b] of steps) {
          const one = members[a];
          if (kind === 'pass') {
            const shared = bytes(b);
            writer.begin();
            // Some get two pieces.
            for (const each of members) each.write(shared, true);
            if (a > 2) for (const each of members.slice(a - 3)) each.write(bytes(2), true);
            if (a === 1) one?.write(bytes(1), false);
            writer.end();
          } else if (kind === 'own') one?.write(bytes(b), false);
          else if (kind === 'drain') one?.drain(b);
          else if (kind === 'settle') one?.settle();
          else if (kind === 'work') board.work(a, writer);
          else if (where === 'by threads') writer.abandon();
        }
        board.work(1_000, writer);
        for (const each of members) {
          each.settle();
          expect(board.received(each.descriptor) + each.queued).toBe(each.wanted);
        }
        expect(writer.busy).toBe(false);
      }),
      { numRuns: 400 },
    );
  });
});

describe('a writer on this thread', () => {
  it('makes one call for 64 sockets, so that a slice can look at the clock', () => {
    const calls: number[] = [];
    const board = new ModelBoard(false);
    const counting: WriteSome = (...asked) => {
      const count = board.writeSome(...asked);
      if (count > 0) calls.push(count);
      return count;
    };
    const writer = new GroupWriter(counting);
    const shared = Uint8Array.of(1);
    writer.begin();
    for (let n = 0; n < 150; n++) {
      board.room(n, 10);
      writer.add({ tookLess: () => undefined, broken: () => undefined }, n, shared);
    }
    writer.end();
    expect(calls).toEqual([64, 64, 22]);
  });

  it('makes a call for fewer where the bytes are many', () => {
    const board = new ModelBoard(false);
    const writer = new GroupWriter(board.writeSome);
    const shared = new Uint8Array(512 * 1024);
    let calls = 0;
    const counted = { tookLess: () => void calls++, broken: () => undefined };
    writer.begin();
    writer.add(counted, 1, shared);
    expect(calls).toBe(0);
    writer.add(counted, 2, shared);
    expect(calls).toBe(2);
    writer.end();
  });

  it('takes nothing outside of a slice, and nothing that is larger than its memory', () => {
    const writer = new GroupWriter(writeSomeInScript);
    const none = { tookLess: () => undefined, broken: () => undefined };
    expect(writer.add(none, 1, Uint8Array.of(1))).toBe(NO_SLOT);
    writer.begin();
    expect(writer.add(none, 1, new Uint8Array(1024 * 1024 + 1))).toBe(NO_SLOT);
    writer.end();
  });
});

describe('a writer with threads', () => {
  it('is busy until the last entry is written, and says so once', () => {
    const board = new ModelBoard(true);
    const writer = new GroupWriter(board.writeSome, board.threads);
    const members = [0, 1].map((each) => new Member(writer, board, each));
    let idle = 0;
    writer.begin();
    for (const each of members) each.write(Uint8Array.of(65), true);
    writer.end();
    expect(writer.busy).toBe(true);
    writer.onceIdle(() => void idle++);
    board.work(1, writer);
    expect([writer.busy, idle]).toEqual([true, 0]);
    board.work(1, writer);
    expect([writer.busy, idle]).toEqual([false, 1]);
  });

  it('leaves to the usual way what its memory has no room for', () => {
    const board = new ModelBoard(true);
    const writer = new GroupWriter(board.writeSome, board.threads);
    const none = { tookLess: () => undefined, broken: () => undefined };
    writer.begin();
    expect(writer.add(none, 1, new Uint8Array(1024 * 1024))).not.toBe(NO_SLOT);
    expect(writer.add(none, 2, new Uint8Array(1))).toBe(NO_SLOT);
    writer.end();
  });
});
