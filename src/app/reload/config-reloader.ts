import { asProblem, type LoadedConfig, type ReadConfig } from '../../config/index.ts';
import { HeartwireError } from '../../errors.ts';
import { type Clock, type Log, tellDefect } from '../../system/index.ts';
import type { ConfigOutcome } from './config-applier.ts';
import { FileWatcher } from './file-watcher.ts';
import { logProblems, reloadText, restartText } from './reload-log.ts';

export interface ConfigReloaderOptions {
  /** As people call it. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Reads the file again, and the files that it names. */
  read(): Promise<ReadConfig>;
  apply(loaded: LoadedConfig): Promise<ConfigOutcome>;
}

/** Reads the configuration again when it is asked to, or when one of its files changes, and says what came of it. */
export class ConfigReloader {
  readonly #options: ConfigReloaderOptions;
  #watcher: FileWatcher | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: ConfigReloaderOptions) {
    this.#options = options;
  }

  /** From now on every change of these files, and of those that they come to name, is followed by a reload. */
  async watch(sources: ReadConfig['sources']): Promise<void> {
    this.#watcher ??= new FileWatcher({ clock: this.#options.clock, changed: () => void this.reload() });
    await this.#watcher.follow(sources);
  }

  /** Reloads now, or once more behind the reload that is under way. Never rejects; the log says what came of it. */
  reload(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#watcher?.[Symbol.dispose]();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      await this.#once();
    }
    this.#running = undefined;
  }

  async #once(): Promise<void> {
    const { log, file } = this.#options;
    try {
      const loaded = await this.#read();
      if (this.#closed) return;
      this.#log(await this.#options.apply(loaded));
      if ('sources' in loaded && !this.#closed) await this.#watcher?.follow(loaded.sources);
    } catch (error) {
      // A defect of a reload leaves every device as it was, and the process goes on.
      tellDefect(log, {}, error);
      log.error({ code: 'config_rejected', file }, `${file} was not applied; every device goes on as it was`);
    }
  }

  async #read(): Promise<LoadedConfig | ReadConfig> {
    const { read, file } = this.#options;
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      return { failed: [], problems: [asProblem(error, file)] };
    }
  }

  #log(outcome: ConfigOutcome): void {
    const { log, file } = this.#options;
    const { problems, diff, generation } = outcome;
    logProblems(log, problems, file);
    const restart = restartText(file, outcome);
    if (restart !== undefined) log.warn({ code: 'config_needs_restart', file }, restart);
    const level = diff === undefined ? 'error' : 'info';
    const code = diff === undefined ? 'config_rejected' : 'config_reloaded';
    log[level]({ code, file, generation }, reloadText(file, outcome));
  }
}
