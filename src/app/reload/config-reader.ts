import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ReadConfig, readConfig } from '../../config/read.ts';
import { HeartwireError } from '../../errors.ts';
import { withResolvers } from '../../system/with-resolvers.ts';
import { ConfigAssembly } from './config-parts.ts';
import type { WorkerReply, WorkerTask } from './config-worker.ts';

/** A configuration that is not read by then never will be. */
const LONGEST_MS = 120_000;

export interface ConfigReaderOptions {
  /** How long one reading may take, in ms; two minutes where it is left out. */
  readonly longestMs?: number;
}

/**
 * Reads and checks a configuration in a thread of its own, so that the loop goes on meanwhile. The thread lives for one
 * reading: reloads are rare, and a thread that waits for the next one would hold some 30 MB for nothing.
 */
export class ConfigReader {
  readonly #longestMs: number;
  readonly #workers = new Set<Worker>();

  constructor({ longestMs = LONGEST_MS }: ConfigReaderOptions = {}) {
    this.#longestMs = longestMs;
  }

  /**
   * As `readConfig`.
   * @throws HeartwireError `config_unreadable`, and `config_reader_failed` where the thread ended or takes too long
   */
  read(path: string, name = path): Promise<ReadConfig> {
    const file = workerFile();
    // In a bundle there is no such file, and nothing that a thread could be started with.
    return file === undefined ? readConfig(path, name) : this.#readIn(file, { path, name });
  }

  /** Ends what is being read; it rejects. */
  [Symbol.dispose](): void {
    for (const worker of this.#workers) void worker.terminate();
  }

  #readIn(file: URL, task: WorkerTask): Promise<ReadConfig> {
    const worker = new Worker(file, { workerData: task, name: 'heartwire-config', execArgv: [] });
    this.#workers.add(worker);
    const assembly = new ConfigAssembly();
    const { promise, resolve, reject } = withResolvers<ReadConfig>();
    const failed = (why: string, cause?: unknown): void =>
      reject(
        new HeartwireError('config_reader_failed', `${task.name} could not be read: ${why}.`, {
          seen: task.name,
          fix: 'Check the size of the file and the memory that is left, then save it again.',
          cause,
        }),
      );
    const timer = setTimeout(() => failed(`it took more than ${this.#longestMs / 1_000} s`), this.#longestMs);
    worker.on('message', (reply: WorkerReply) => {
      if ('error' in reply) {
        const { code, message, details } = reply.error;
        reject(new HeartwireError(code, message, details));
        return;
      }
      const whole = assembly.add(reply.next);
      if (whole !== undefined) resolve(whole);
      // The next part has a turn of its own.
      else setImmediate(() => worker.postMessage('next'));
    });
    worker.on('error', (cause) => failed(`its thread failed with "${cause.message}"`, cause));
    worker.on('exit', () => failed('its thread ended'));
    worker.postMessage('next');
    return promise.finally(() => {
      clearTimeout(timer);
      this.#workers.delete(worker);
      void worker.terminate();
    });
  }
}

/** The thread is a file of the package, also where the sources run as they are. */
function workerFile(): URL | undefined {
  const built = import.meta.url.endsWith('.js');
  const file = new URL(
    built ? './config-worker.js' : '../../../dist/src/app/reload/config-worker.js',
    import.meta.url,
  );
  return existsSync(fileURLToPath(file)) ? file : undefined;
}
