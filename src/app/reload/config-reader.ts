import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import {
  type BridgeConfig,
  type DeviceConfig,
  type EntryAddition,
  type FailedDevice,
  type ListenerConfig,
  type PlannedAddition,
  type Problem,
  planAddition,
  type ReadConfig,
  readConfig,
} from '../../config/index.ts';
import { type ErrorCode, type ErrorDetails, HeartwireError } from '../../errors.ts';
import { DeclaredProtocol, type ProtocolDeclaration } from '../../protocol/index.ts';
import { withResolvers } from '../../system/index.ts';

/** What is to be read, and how problems name it. */
export interface WorkerTask {
  readonly path: string;
  readonly name: string;
  /** Not to be read, but to be extended by this entry. */
  readonly addition?: EntryAddition;
}

/** A HeartwireError as it crosses to another thread. */
interface CrossedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** The thread's reply to each request for the next part. */
export type WorkerReply =
  | { readonly next: ConfigPart }
  | { readonly planned: PlannedAddition }
  | { readonly error: CrossedError };

/** In ms; a reading that takes longer is given up. */
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
    if (file === undefined) return readConfig(path, name);
    const assembly = new ConfigAssembly();
    return this.#performIn(file, { path, name }, (reply) =>
      'next' in reply ? assembly.add(reply.next) : undefined,
    );
  }

  /**
   * As `planAddition`.
   * @throws HeartwireError as that, and `config_reader_failed`
   */
  plan(path: string, name: string, addition: EntryAddition): Promise<PlannedAddition> {
    const file = workerFile();
    if (file === undefined) return planAddition(path, name, addition);
    return this.#performIn(file, { path, name, addition }, (reply) =>
      'planned' in reply ? reply.planned : undefined,
    );
  }

  /** Ends what is being read; it rejects. */
  [Symbol.dispose](): void {
    for (const worker of this.#workers) void worker.terminate();
  }

  /** Starts a thread for one task; `take` returns the result with the last reply. */
  #performIn<T>(file: URL, task: WorkerTask, take: (reply: WorkerReply) => T | undefined): Promise<T> {
    const worker = new Worker(file, { workerData: task, name: 'heartwire-config', execArgv: [] });
    this.#workers.add(worker);
    const { promise, resolve, reject } = withResolvers<T>();
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
      const whole = take(reply);
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

/** Entries that go into one part: as many as are rebuilt in a few milliseconds. */
const ENTRIES_A_PART = 100;

/** What is compiled cannot cross to another thread: the number of its declaration stands in its place. */
type Crossing<T> = Omit<T, 'messages'> & { readonly spoken?: number };

/** A configuration in pieces that can be cloned, each small enough to be taken in without holding the loop. */
export type ConfigPart =
  | { readonly part: 'protocol'; readonly declaration: ProtocolDeclaration }
  | { readonly part: 'devices'; readonly entries: readonly Crossing<DeviceConfig>[] }
  | { readonly part: 'listeners'; readonly entries: readonly Crossing<ListenerConfig>[] }
  | { readonly part: 'failed'; readonly entries: readonly FailedDevice[] }
  | { readonly part: 'problems'; readonly entries: readonly Problem[] }
  | {
      readonly part: 'last';
      readonly config: Omit<BridgeConfig, 'devices' | 'listeners'> | undefined;
      readonly sources: ReadConfig['sources'];
    };

/** Takes a configuration apart. */
export function* partsOf({ config, failed, problems, sources }: ReadConfig): Generator<ConfigPart, void> {
  const numbers = new Map<DeclaredProtocol, number>();
  const { devices = [], listeners = [], ...rest } = config ?? {};
  for (const { messages } of [...devices, ...listeners]) {
    if (messages === undefined || numbers.has(messages)) continue;
    numbers.set(messages, numbers.size);
    yield { part: 'protocol', declaration: messages.declaration };
  }
  const crossing = <T extends { readonly messages?: DeclaredProtocol }>({ messages, ...entry }: T) => {
    const spoken = messages === undefined ? undefined : numbers.get(messages);
    return spoken === undefined ? entry : { ...entry, spoken };
  };
  // What is left of an entry without its messages is what `Crossing` says.
  for (const entries of chunks(devices))
    yield { part: 'devices', entries: entries.map(crossing) as Crossing<DeviceConfig>[] };
  for (const entries of chunks(listeners))
    yield { part: 'listeners', entries: entries.map(crossing) as Crossing<ListenerConfig>[] };
  for (const entries of chunks(failed)) yield { part: 'failed', entries };
  for (const entries of chunks(problems)) yield { part: 'problems', entries };
  // Every key but the two lists, which went before.
  const left = rest as Omit<BridgeConfig, 'devices' | 'listeners'>;
  yield { part: 'last', config: config === undefined ? undefined : left, sources };
}

/** Puts the parts together again, in the order in which they were made. */
export class ConfigAssembly {
  readonly #protocols: DeclaredProtocol[] = [];
  readonly #devices: DeviceConfig[] = [];
  readonly #listeners: ListenerConfig[] = [];
  readonly #failed: FailedDevice[] = [];
  readonly #problems: Problem[] = [];

  /** Returns the configuration with its last part. */
  add(part: ConfigPart): ReadConfig | undefined {
    switch (part.part) {
      case 'protocol':
        this.#protocols.push(new DeclaredProtocol(part.declaration));
        return undefined;
      case 'devices':
        // An entry was a `DeviceConfig` before its messages were taken out.
        this.#devices.push(...part.entries.map((each) => this.#whole(each) as DeviceConfig));
        return undefined;
      case 'listeners':
        this.#listeners.push(...part.entries.map((each) => this.#whole(each) as ListenerConfig));
        return undefined;
      case 'failed':
        this.#failed.push(...part.entries);
        return undefined;
      case 'problems':
        this.#problems.push(...part.entries);
        return undefined;
      case 'last': {
        const found = { failed: this.#failed, problems: this.#problems, sources: part.sources };
        if (part.config === undefined) return found;
        return {
          ...found,
          config: { ...part.config, devices: this.#devices, listeners: this.#listeners },
        };
      }
    }
  }

  #whole({ spoken, ...entry }: { readonly spoken?: number }): object {
    const messages = spoken === undefined ? undefined : this.#protocols[spoken];
    return messages === undefined ? entry : { ...entry, messages };
  }
}

function* chunks<T>(entries: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < entries.length; at += ENTRIES_A_PART) yield entries.slice(at, at + ENTRIES_A_PART);
}
