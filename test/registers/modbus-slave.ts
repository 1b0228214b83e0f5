import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { needs } from '../support/needs.ts';

/** How it frames what it says. */
export type ModbusKind = 'rtu' | 'tcp' | 'ascii';

/** `modbus-slave.py` as a process: a slave that shares no code with Heartwire. */
export class ModbusSlave implements AsyncDisposable {
  port = 0;
  /** What was written into it. */
  readonly writes: string[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: Array<(line: string) => void> = [];

  private constructor(kind: ModbusKind) {
    const script = fileURLToPath(new URL('modbus-slave.py', import.meta.url));
    this.#process = spawn(needs('python3').path, ['-u', script, kind], { stdio: 'pipe' });
    this.#process.stderr.pipe(process.stderr);
    createInterface(this.#process.stdout).on('line', (line) => {
      if (line.startsWith('wrote')) this.writes.push(line);
      else this.#waiting.shift()?.(line);
    });
  }

  static async start(kind: ModbusKind, ...lines: readonly string[]): Promise<ModbusSlave> {
    const slave = new ModbusSlave(kind);
    slave.port = Number(await slave.#next());
    await slave.set(...lines);
    return slave;
  }

  /** Changes registers, or how it behaves. */
  async set(...lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      const taken = this.#next();
      this.#process.stdin.write(`${line}\n`);
      await taken;
    }
  }

  #next(): Promise<string> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }
}
