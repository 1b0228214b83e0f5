import type { CliIo } from '../../src/cli/command.ts';

/** A process's surroundings in memory: what a command prints is kept, and signals come when the test says so. */
export class RecordedIo implements CliIo {
  readonly terminal: boolean = false;
  readonly program: string = 'heartwire';
  readonly env: Readonly<Record<string, string | undefined>> = {};
  readonly cwd: string;
  printed = '';
  logged = '';
  readonly #outClosed = new AbortController();
  readonly #watchers: Array<{ readonly signal: string; readonly callback: () => void }> = [];

  constructor(cwd = '/') {
    this.cwd = cwd;
  }

  readonly out = (text: string): void => {
    this.printed += text;
  };

  readonly err = (text: string): void => {
    this.logged += text;
  };

  get outClosed(): AbortSignal {
    return this.#outClosed.signal;
  }

  onSignal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', callback: () => void): () => void {
    const watcher = { signal, callback };
    this.#watchers.push(watcher);
    return () => {
      const at = this.#watchers.indexOf(watcher);
      if (at >= 0) this.#watchers.splice(at, 1);
    };
  }

  onUncaught(): () => void {
    return () => undefined;
  }

  /** Signals now watched. */
  get watched(): string[] {
    return this.#watchers.map(({ signal }) => signal);
  }

  signal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
    for (const each of [...this.#watchers]) if (each.signal === signal) each.callback();
  }

  /** Nobody reads the output any more. */
  closeOut(): void {
    this.#outClosed.abort();
  }
}
