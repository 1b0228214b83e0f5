import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Json, JsonObject } from '../../src/contract/wire/index.ts';
import { PROJECT_ROOT } from './project-files.ts';

const scriptOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
/** Where the Python package is; nothing is written beside it. */
export const PYTHON_ENV = {
  ...process.env,
  PYTHONPATH: `${PROJECT_ROOT}/clients/python`,
  PYTHONDONTWRITEBYTECODE: '1',
};

export interface PythonView {
  readonly state: string;
  readonly reason: string | null;
  /** The states of the connection that were reported so far. */
  readonly states: readonly string[];
  readonly view: readonly JsonObject[];
}

/** What `numbered_feed.py` saw of the numbers of a device. */
export interface PythonNumbers {
  readonly last: number;
  readonly events: number;
  readonly gaps: number;
  readonly fulls: number;
  readonly twice: readonly Json[];
  readonly silent: readonly Json[];
}

/** `python_feed.py`, or another script beside it, as a process: a program with the Python client. */
export class PythonFeed implements AsyncDisposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #lines: Interface;
  /** Rejected once the program has ended. */
  readonly #ended: Promise<never>;
  #errors = '';
  #last: Promise<unknown> = Promise.resolve();

  constructor(python: string, url: string, script = 'python_feed.py') {
    const argv = ['-W', 'error', scriptOf(script), url];
    this.#process = spawn(python, argv, { stdio: 'pipe', env: PYTHON_ENV });
    this.#process.stderr.on('data', (text) => {
      this.#errors += String(text);
    });
    this.#lines = createInterface(this.#process.stdout);
    this.#ended = once(this.#process, 'close').then(() => {
      throw new Error(`the Python program ended: ${this.#errors}`);
    });
    // The next question reports it.
    this.#ended.catch(() => undefined);
  }

  view(): Promise<PythonView> {
    // The shape is that of the script.
    return this.#ask('view') as Promise<unknown> as Promise<PythonView>;
  }

  /** Of `numbered_feed.py`. */
  numbers(): Promise<PythonNumbers> {
    // The shape is that of the script.
    return this.#ask('numbers') as Promise<unknown> as Promise<PythonNumbers>;
  }

  items(): Promise<Json> {
    return this.#ask('items');
  }

  /** Resolves once the command was sent; `outcome` is what became of it. */
  async command(device: string, message: string): Promise<void> {
    await this.#ask(`command ${device} ${message}`);
  }

  outcome(): Promise<Json> {
    return this.#ask('outcome');
  }

  /** Ends as a program does whose work is done; gives what it wrote to standard error. */
  async end(): Promise<readonly [code: number | null, errors: string]> {
    const exited = once(this.#process, 'close');
    this.#process.stdin.end();
    const [code] = await exited;
    return [code, this.#errors];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'close');
    this.#process.kill('SIGKILL');
    await exited;
  }

  /** One question after another, each with the next line for its answer. */
  #ask(line: string): Promise<Json> {
    const answer = this.#last.then(async () => {
      this.#process.stdin.write(`${line}\n`);
      const [text] = await Promise.race([once(this.#lines, 'line'), this.#ended]);
      return JSON.parse(String(text)) as Json;
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }
}
