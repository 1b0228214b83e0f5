import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from './free-port.ts';
import { PROJECT_ROOT, readProjectFile } from './project-files.ts';

/** A block of code of a page. */
export interface Block {
  readonly language: string;
  readonly text: string;
}

export function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = '', language = '', text = '']) => ({
      language,
      text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
}

/** The name of the file that a block is: its first line is a comment with nothing but that name. */
export function fileName(text: string): string | undefined {
  return /^(?:#|\/\/|<!--) ([\w./-]+\.\w+)(?: -->)?\n/.exec(text)?.[1];
}

/** Commands that go on until they are stopped. */
const LASTING =
  /^(?:heartwire (?:run|simulate|demo)\b|npx vite$|python3 -m http\.server|node receiver\.mjs$|redis-server )/;
/** The ports that pages name. */
const PORTS = /\b(?:2217|400[1-5]|5023|5025|5050|5173|808[0-2]|6379|8086|9089)\b/g;
/** What a test machine is spared: other tests install and pack, and no test changes the system. */
const SPARED = /^(?:sudo |npm (?:install|init|pack|start)\b|pip |git |cd |docker )/;
const PATIENCE = { timeout: 120_000, interval: 250 };

/**
 * Follows a page as a reader does, from top to bottom in an empty folder: writes the blocks that are files, types the
 * commands, and compares what they print. Ports are free ones, each the same wherever the page has it.
 */
export class Walkthrough implements AsyncDisposable {
  readonly folder: string;
  readonly #ports = new Map<string, string>();
  readonly #children: ChildProcess[] = [];
  /** What lasting commands printed so far, for a test that fails. */
  said = '';

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Walkthrough> {
    const folder = await mkdtemp(join(tmpdir(), 'heartwire-walkthrough-'));
    await mkdir(join(folder, '.bin'));
    await mkdir(join(folder, 'node_modules'));
    const shim = `#!/bin/sh\nexec "${process.execPath}" "${PROJECT_ROOT}/dist/bin/heartwire.js" "$@"\n`;
    await writeFile(join(folder, '.bin/heartwire'), shim);
    await chmod(join(folder, '.bin/heartwire'), 0o755);
    // A copy, as an installed package is: Vite serves no linked one from outside of its folder.
    await mkdir(join(folder, 'node_modules/heartwire/dist'), { recursive: true });
    for (const path of ['package.json', 'dist/lib', 'packs/scpi-supply'])
      await cp(join(PROJECT_ROOT, path), join(folder, 'node_modules/heartwire', path), { recursive: true });
    for (const name of await readdir(join(PROJECT_ROOT, 'node_modules')))
      if (!name.startsWith('.'))
        await symlink(join(PROJECT_ROOT, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
    return new Walkthrough(folder);
  }

  /** The page from top to bottom. */
  async follow(path: string): Promise<void> {
    for (const block of blocksOf(readProjectFile(path))) await this.do(block);
  }

  async do({ language, text }: Block): Promise<void> {
    const name = fileName(text);
    if (name !== undefined) return await this.write(name, text);
    if (language === 'sh') for (const line of commands(text)) await this.type(line);
    if (language === 'console') {
      for (const { command, printed } of dialogue(text)) await this.type(command, printed);
    }
  }

  /** The lasting commands that ended with an error, which a reader would see in one of the terminals. */
  failed(): readonly string[] {
    return this.#children
      .filter(({ exitCode }) => (exitCode ?? 0) !== 0)
      .map(({ spawnargs }) => spawnargs.join(' '));
  }

  async write(name: string, text: string): Promise<void> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, await this.here(text));
  }

  /** The text with free ports. */
  async here(text: string): Promise<string> {
    for (const [port] of text.matchAll(PORTS))
      if (!this.#ports.has(port)) this.#ports.set(port, String(await freePort()));
    return text.replaceAll(PORTS, (port) => this.#ports.get(port) ?? port);
  }

  /** Types one command. One that ends is repeated until it succeeds and prints what the page shows. */
  async type(command: string, printed = ''): Promise<void> {
    if (SPARED.test(command)) return;
    const bridge = await this.here('127.0.0.1:8080');
    const env = {
      ...process.env,
      PATH: `${join(this.folder, '.bin')}:${join(PROJECT_ROOT, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
      HEARTWIRE_URL: `http://${bridge}`,
      PYTHONPATH: join(PROJECT_ROOT, 'clients/python'),
      PYTHONDONTWRITEBYTECODE: '1',
      FORCE_COLOR: '0',
    };
    const port = /^heartwire run\b(?!.*--port)/.test(command) ? ` --port ${bridge.split(':')[1]}` : '';
    // npx would ask the registry; what it runs is on the PATH.
    const local = command
      .replace(/^npx (?=heartwire |vite$|vitest )/, '')
      .replace(/^vite$/, 'vite --port 5173 --strictPort');
    const line = (await this.here(local)) + port;
    if (LASTING.test(command)) return this.#start(line, env);
    const wanted = pattern(await this.here(printed));
    let last = { code: -1, out: '' };
    await expect
      .poll(async () => {
        last = await this.#run(line, env);
        return last.code === 0 && wanted.test(last.out);
      }, PATIENCE)
      .toBe(true)
      .catch(() => {
        throw new Error(`${command}\nended with ${last.code}:\n${last.out}\nand before:\n${this.said}`);
      });
  }

  #start(line: string, env: NodeJS.ProcessEnv): void {
    // A group of its own, because the shell has children.
    const child = spawn('sh', ['-c', line], {
      cwd: this.folder,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#children.push(child);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        this.said = (this.said + String(chunk)).slice(-20_000);
      });
  }

  async #run(line: string, env: NodeJS.ProcessEnv): Promise<{ code: number; out: string }> {
    const child = spawn('sh', ['-c', line], { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        out += String(chunk);
      });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code: code ?? -1, out };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      const { pid } = child;
      if (pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
      const closed = new Promise((resolve) => child.once('close', resolve));
      process.kill(-pid, 'SIGKILL');
      await closed;
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The commands of a shell block: one a line, continued where a line ends in a backslash; comments are left out. */
export function commands(text: string): readonly string[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s+)# .*$/, '').trim())
    .filter((line) => line !== '');
}

function dialogue(text: string): ReadonlyArray<{ readonly command: string; readonly printed: string }> {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [first = '', ...rest] = part.split('\n');
      return { command: commands(first)[0] ?? '', printed: rest.join('\n').trim() };
    });
}

/** What a page shows of an output: `...` stands for anything, lines may have others between them. */
function pattern(printed: string): RegExp {
  const escaped = printed
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('\\.\\.\\.', '[\\s\\S]*')
    .replaceAll('\n', '[\\s\\S]*');
  return new RegExp(escaped);
}
