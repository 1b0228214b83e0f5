import { availableParallelism } from 'node:os';
import { GroupWriter } from './group-writer.ts';
import { loadNativeWrites, type NativeWrites } from './native-writes.ts';
import { writeSomeInScript } from './write-board.ts';
import { WritePool } from './write-pool.ts';

export interface FeedWritesOptions {
  /** The native part is used where it is there. */
  readonly native: boolean;
  /** Threads that write beside the main one; `auto`: one for each core, where there are several. */
  readonly workers: number | 'auto';
}

/** How the feed writes to its subscribers. */
export interface WritesStatus {
  readonly native: boolean;
  /** Why it does not use the native part. */
  readonly whyNot?: string;
  /** Threads beside the main one. */
  readonly workers: number;
}

/** More threads than this have not been seen to help. */
const MOST_AUTO_WORKERS = 8;

function autoWorkers(): number {
  const cores = availableParallelism();
  return cores === 1 ? 0 : Math.min(cores, MOST_AUTO_WORKERS);
}

/** The ways to write the same bytes to many sockets, as they are on this machine and configured. */
export class FeedWrites {
  /** Absent: each socket is written to by itself. */
  readonly groupWriter: GroupWriter | undefined;
  readonly #native: NativeWrites;
  readonly #pool: WritePool | undefined;

  /** `failed`: threads failed, and others take their place where they can. */
  constructor({ native, workers }: FeedWritesOptions, failed: (why: string) => void) {
    this.#native = native ? loadNativeWrites() : { on: false, why: 'it is turned off' };
    const writeSome = this.#native.on ? this.#native.writeSome : writeSomeInScript;
    const threads = workers === 'auto' ? autoWorkers() : workers;
    if (process.platform === 'win32' || (threads === 0 && !this.#native.on)) return;
    if (threads === 0) {
      this.groupWriter = new GroupWriter(writeSome);
      return;
    }
    const pool = new WritePool({
      threads,
      board: GroupWriter.sharedBoard(),
      nativeFile: this.#native.on ? this.#native.file : undefined,
      done: () => this.groupWriter?.threadsDone(),
      lost: (why) => {
        this.groupWriter?.abandon();
        failed(why);
      },
    });
    this.#pool = pool;
    this.groupWriter = new GroupWriter(writeSome, pool);
  }

  get status(): WritesStatus {
    const native = this.#native;
    return {
      native: native.on,
      ...(native.on ? {} : { whyNot: native.why }),
      workers: this.#pool?.size ?? 0,
    };
  }

  [Symbol.dispose](): void {
    this.#pool?.[Symbol.dispose]();
  }
}
