import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

/** Why no network namespace can be made here; undefined where one can. */
function hindrance(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (env.CI !== undefined && env.CI !== '') return 'no network namespaces are made in CI';
  if (process.platform !== 'linux') return 'only Linux has network namespaces';
  if (process.getuid?.() !== 0) return 'only root makes network namespaces';
  const name = `hw-try-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'add', 'hw-a', 'type', 'veth', 'peer', 'name', 'hw-b');
    return undefined;
  } catch (error) {
    return `no network namespace can be made: ${String(error).split('\n')[0]}`;
  } finally {
    try {
      ip('netns', 'del', name);
    } catch {
      // It could not be made.
    }
  }
}

/** Whether tests with namespaces run here; where they do not, the reason is printed. */
export function canUseNamespaces(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  const why = hindrance(env);
  if (why !== undefined) console.warn(`skipped: ${why}`);
  return why === undefined;
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A program in a namespace, with what it printed. */
export interface Inside {
  readonly child: ChildProcess;
  out(): string;
  /** Its exit code, or what ended it; undefined while it runs. */
  ended(): number | string | undefined;
}

/** Two hosts with one wire between them, 10.77.0.1 and 10.77.0.2. */
export class TwoHosts implements Disposable {
  readonly near = `hw-near-${process.pid}`;
  readonly far = `hw-far-${process.pid}`;
  readonly #children: ChildProcess[] = [];
  readonly #cwd: string;

  /** Programs run in `cwd`. `files`: what the near host has instead of the files of this name in `/etc`. */
  constructor(cwd: string, files: Readonly<Record<string, string>>) {
    this.#cwd = cwd;
    for (const host of [this.near, this.far]) ip('netns', 'add', host);
    ip('link', 'add', 'wire', 'netns', this.near, 'type', 'veth', 'peer', 'name', 'wire', 'netns', this.far);
    for (const [host, address] of [
      [this.near, '10.77.0.1/24'],
      [this.far, '10.77.0.2/24'],
    ] as const) {
      ip('-n', host, 'addr', 'add', address, 'dev', 'wire');
      ip('-n', host, 'link', 'set', 'wire', 'up');
      ip('-n', host, 'link', 'set', 'lo', 'up');
    }
    mkdirSync(`/etc/netns/${this.near}`, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(`/etc/netns/${this.near}/${name}`, text);
  }

  /** Takes the wire out at the far end, or puts it in again. */
  wire(state: 'up' | 'down'): void {
    ip('-n', this.far, 'link', 'set', 'wire', state);
  }

  run(host: string, ...command: readonly string[]): Inside {
    const child = spawn('ip', ['netns', 'exec', host, ...command], {
      cwd: this.#cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    let out = '';
    let ended: number | string | undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        out += String(chunk);
      });
    }
    child.on('close', (code, signal) => {
      ended = code ?? signal ?? 'gone';
    });
    return { child, out: () => out, ended: () => ended };
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const host of [this.near, this.far]) ip('netns', 'del', host);
    rmSync(`/etc/netns/${this.near}`, { recursive: true, force: true });
  }
}
