import { GroupWriter, type WriteThreads } from '../../src/feed/writes/group-writer.ts';
import {
  DONE,
  PENDING,
  PUBLISHED,
  SHORT,
  stateAt,
  TAKEN,
  type WriteSome,
} from '../../src/feed/writes/write-board.ts';

/** Sockets without a network, each with the room that a test gives it, and a board whose threads are the test's to run. */
export class ModelBoard {
  readonly threads: WriteThreads | undefined;
  readonly #received = new Map<number, string>();
  readonly #room = new Map<number, number>();

  constructor(threads: boolean) {
    if (threads) this.threads = { board: GroupWriter.sharedBoard(), worthWaking: 1, wake: () => undefined };
  }

  received(descriptor: number): string {
    return this.#received.get(descriptor) ?? '';
  }

  /** The peer has read what the socket took; returns it, and the socket has so much room again. */
  drain(descriptor: number, room: number): string {
    const received = this.received(descriptor);
    this.#received.delete(descriptor);
    this.#room.set(descriptor, room);
    return received;
  }

  room(descriptor: number, bytes: number): void {
    this.#room.set(descriptor, (this.#room.get(descriptor) ?? 0) + bytes);
  }

  /** The socket takes as much as it has room for; returns how much. */
  take(descriptor: number, text: string): number {
    const room = this.#room.get(descriptor) ?? 0;
    const taken = text.slice(0, room);
    this.#room.set(descriptor, room - taken.length);
    this.#received.set(descriptor, this.received(descriptor) + taken);
    return taken.length;
  }

  /** A thread has the time for so many entries. */
  work(entries: number, writer: GroupWriter): void {
    const { threads } = this;
    if (threads === undefined) return;
    const { head, entries: words, data } = threads.board;
    this.writeSome(head, words, data, entries);
    writer.threadsDone();
  }

  /** The loop of a thread, over model sockets. */
  readonly writeSome: WriteSome = (head, entries, data, most) => {
    const taken = head[TAKEN] ?? 0;
    const count = Math.min(most, (head[PUBLISHED] ?? 0) - taken);
    for (let index = 0; index < count; index++) {
      const at = stateAt((taken + index) & (entries.length / 4 - 1));
      if (entries[at] !== PENDING) continue;
      // The state stands behind descriptor, offset and length.
      const [descriptor = 0, offset = 0, length = 0] = entries.subarray(at - 3, at);
      const text = new TextDecoder().decode(data.subarray(offset, offset + length));
      entries[at] = this.take(descriptor, text);
      if (entries[at] !== length) head[SHORT] = (head[SHORT] ?? 0) + 1;
    }
    head[TAKEN] = taken + count;
    head[DONE] = (head[DONE] ?? 0) + count;
    return count;
  };
}
