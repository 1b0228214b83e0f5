import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** Asks the system itself for the addresses of a name; empty where it knows none. Gives up with the signal. */
export type SystemLookup = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** Programs at once; each is a small one, and is ended with its look-up. */
const MOST_PROGRAMS = 64;
const MOST_OUTPUT = 64 * 1024;

/** Tasks of which so many run at once; the others wait in their order, and leave with their signal. */
class Turns {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(most: number) {
    this.#free = most;
  }

  async run<T>(signal: AbortSignal, otherwise: T, task: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await this.#turn(signal);
    if (signal.aborted) return otherwise;
    this.#free -= 1;
    try {
      return await task();
    } finally {
      this.#free += 1;
      const [next] = this.#waiting;
      next?.();
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#waiting.delete(go);
        signal.removeEventListener('abort', go);
        resolve();
      };
      this.#waiting.add(go);
      signal.addEventListener('abort', go);
    });
  }
}

const programs = new Turns(MOST_PROGRAMS);
const inProcess = new Turns(1);

/** By the C library's own program: a look-up that hangs holds none of our threads, and can be ended. */
export const getentLookup: SystemLookup = (name, signal) =>
  programs.run<readonly string[]>(signal, [], () => {
    // It would be taken for an option.
    if (name.startsWith('-')) return Promise.resolve([]);
    return new Promise((resolve) => {
      const options = { signal, maxBuffer: MOST_OUTPUT, killSignal: 'SIGKILL' } as const;
      execFile('getent', ['ahosts', name], options, (_error, stdout) => {
        // Its exit code says that there is no such name; a system without the program knows no more than DNS.
        resolve([...new Set(stdout.split('\n').map((line) => line.split(/\s/)[0] ?? ''))].filter(isAddress));
      });
    });
  });

/**
 * By the system's function, which blocks one thread of a pool that files and serial ports need too: one at a time, so
 * that the others stay free.
 */
export const inProcessLookup: SystemLookup = (name, signal) =>
  inProcess.run<readonly string[]>(signal, [], async () => {
    try {
      return (await lookup(name, { all: true })).map(({ address }) => address);
    } catch {
      // Whatever it says: it has no address.
      return [];
    }
  });

export const systemLookup: SystemLookup = process.platform === 'linux' ? getentLookup : inProcessLookup;

const isAddress = (text: string): boolean => isIP(text) !== 0;
