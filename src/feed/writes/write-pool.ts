import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { WriteThreads } from './group-writer.ts';
import { STOP, WAKE, type WriteBoard } from './write-board.ts';
import type { WriteWorkerData } from './write-worker.ts';

export interface WritePoolOptions {
  readonly threads: number;
  readonly board: WriteBoard;
  readonly nativeFile: string | undefined;
  /** Nothing that was published is left. */
  done(): void;
  /** A thread has failed, and all have ended. */
  lost(why: string): void;
}

/** Threads that fail more often in all are not replaced: the bridge goes on without them. */
const MOST_FAILURES = 5;

/**
 * Threads that write what is published on a board; they start when they are first woken. One that fails takes the others
 * with it, and all are replaced.
 */
export class WritePool implements WriteThreads {
  readonly board: WriteBoard;
  readonly worthWaking = 32;
  readonly #options: WritePoolOptions;
  #workers: Worker[] = [];
  #failures = 0;
  /** One has failed, and the others end. */
  #ending = false;
  #stopped = false;

  constructor(options: WritePoolOptions) {
    this.#options = options;
    this.board = options.board;
  }

  /** Threads that there are, or will be when there is something for them. */
  get size(): number {
    return this.#failures < MOST_FAILURES ? this.#options.threads : 0;
  }

  /** Threads that run now. */
  get running(): number {
    return this.#workers.length;
  }

  #start(): void {
    const { board } = this;
    const { threads, nativeFile, done } = this.#options;
    const file = workerFile();
    if (file === undefined) {
      this.#failures = MOST_FAILURES;
      this.#options.lost('The file of the threads that write to subscribers is missing.');
      return;
    }
    const data: WriteWorkerData = { board, nativeFile };
    this.#workers = Array.from({ length: threads }, () => {
      const worker = new Worker(file, { workerData: data, name: 'heartwire-writes' });
      worker.unref();
      worker.on('message', done);
      let why = 'it ended';
      worker.on('error', (cause) => {
        why = cause instanceof Error ? cause.message : String(cause);
      });
      worker.on('exit', () => this.#exited(worker, why));
      return worker;
    });
  }

  wake(): void {
    if (this.#workers.length === 0 && this.#mayStart) this.#start();
    const { head } = this.board;
    Atomics.add(head, WAKE, 1);
    Atomics.notify(head, WAKE);
  }

  /** The threads end by themselves, once what they have taken is written; nothing waits for them. */
  [Symbol.dispose](): void {
    this.#stopped = true;
    const { head } = this.board;
    Atomics.store(head, STOP, 1);
    Atomics.add(head, WAKE, 1);
    Atomics.notify(head, WAKE);
  }

  #exited(worker: Worker, why: string): void {
    if (!this.#workers.includes(worker)) return;
    // What the thread had taken is known only when no thread works on the board.
    const others = this.#workers.filter((each) => each !== worker);
    if (this.#stopped) {
      this.#workers = others;
      return;
    }
    this.#workers = [];
    this.#failures++;
    this.#ending = true;
    void Promise.all(others.map((each) => each.terminate())).then(() => {
      this.#ending = false;
      this.#options.lost(`A thread that writes to subscribers failed: ${why}.`);
    });
  }

  get #mayStart(): boolean {
    return !this.#ending && !this.#stopped && this.#failures < MOST_FAILURES;
  }
}

/** The thread is a file of the package, also where the sources run as they are. */
function workerFile(): URL | undefined {
  const built = import.meta.url.endsWith('.js');
  const file = new URL(
    built ? './write-worker.js' : '../../../dist/src/feed/writes/write-worker.js',
    import.meta.url,
  );
  return existsSync(fileURLToPath(file)) ? file : undefined;
}
