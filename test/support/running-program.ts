import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;

/** The compiled program in a process of its own; it is killed when it goes out of scope. */
export class RunningProgram implements Disposable {
  readonly child: ChildProcess;
  /** What it printed so far. */
  out = '';
  err = '';
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;

  constructor(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}) {
    expect(existsSync(program), 'npm test compiles the program first; so does npm run build').toBe(true);
    const child = spawn(process.execPath, [program, ...argv], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stdout.on('data', (chunk) => {
      this.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      this.err += chunk;
    });
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  /** What the first group of the pattern is, once it was printed. */
  async said(pattern: RegExp): Promise<string> {
    await expect.poll(() => this.out, { timeout: 60_000 }).toMatch(pattern);
    return pattern.exec(this.out)?.[1] ?? '';
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}
