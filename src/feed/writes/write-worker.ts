import { createRequire } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import {
  DONE,
  PUBLISHED,
  STOP,
  WAKE,
  type WriteBoard,
  type WriteSome,
  writeSomeInScript,
} from './write-board.ts';

/** What a thread of the pool starts with. */
export interface WriteWorkerData {
  readonly board: WriteBoard;
  /** The file of the native part; absent: the loop in script is used. */
  readonly nativeFile: string | undefined;
}

/** Entries that a thread takes at once: few, so that all threads end together. */
const TAKE = 16;

/** Writes what is published on the board until the pool stops, and says each time that nothing is left. */
function work({ board, nativeFile }: WriteWorkerData): void {
  const { head, entries, data } = board;
  const writeSome: WriteSome =
    // The pool has loaded this very file, and it has the function.
    nativeFile === undefined ? writeSomeInScript : createRequire(import.meta.url)(nativeFile).writeSome;
  while (Atomics.load(head, STOP) === 0) {
    const seen = Atomics.load(head, WAKE);
    let count = 0;
    for (let some = -1; some !== 0; count += some) some = writeSome(head, entries, data, TAKE);
    if (count > 0 && Atomics.load(head, DONE) === Atomics.load(head, PUBLISHED)) parentPort?.postMessage(0);
    Atomics.wait(head, WAKE, seen);
  }
}

// The thread is given what it starts with by the pool.
if (parentPort !== null) work(workerData as WriteWorkerData);
