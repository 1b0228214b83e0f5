import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { needs } from '../support/needs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;
const posix = process.platform !== 'win32';

const device = (id: string) => `  - { id: ${id}, match: { from: 10.9.8.${id.length} } }\n`;
const text = (...ids: string[]) =>
  `devices:\n${ids.map(device).join('')}listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\n`;

interface Config {
  readonly generation: number;
  readonly applied: Readonly<Record<'added' | 'changed' | 'removed' | 'needs_restart', readonly string[]>>;
  readonly problems: readonly string[];
}

/** The compiled program on a configuration, in a process of its own. */
class RunningBridge {
  readonly child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  out = '';
  err = '';

  /** `cwd`: what a bridge keeps lies there. */
  constructor(command: string, args: readonly string[], cwd: string) {
    expect(existsSync(program), 'npm test compiles the program first; so does npm run build').toBe(true);
    this.child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk;
    });
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  static run(file: string, ...options: string[]): RunningBridge {
    const args = [program, 'run', file, '--port', '0', ...options];
    return new RunningBridge(process.execPath, args, dirname(file));
  }

  async url(): Promise<string> {
    const found = () => /Heartwire is at (http:\/\/127\.0\.0\.1:\d+)/.exec(this.out)?.[1];
    await expect.poll(found, { timeout: 15_000 }).toBeDefined();
    return found() ?? '';
  }

  async devices(): Promise<string[]> {
    const answer = (await (await fetch(`${await this.url()}/api/devices`)).json()) as {
      devices: readonly { readonly device: string }[];
    };
    return answer.devices.map(({ device }) => device).sort();
  }

  /** What `bridge/status` says of the configuration. */
  async config(): Promise<Config | undefined> {
    await using watcher = await DeviceWatcher.connect(await this.url(), ['bridge/status']);
    await watcher.reply('1');
    // Our own document, of which the types of the feed know nothing.
    return watcher.document('bridge/status')?.config as Config | undefined;
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }
}

describe('a bridge in a process of its own', () => {
  let folder = '';
  let file = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
    file = join(folder, 'devices.yaml');
    await writeFile(file, text('a'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const replace = async (content: string) => {
    await writeFile(`${file}.tmp`, content);
    await rename(`${file}.tmp`, file);
  };

  it.runIf(posix)(
    'reloads on SIGHUP and lives on, with what was applied in its log and on the feed',
    async () => {
      using bridge = RunningBridge.run(file, '--no-watch');
      expect(await bridge.devices()).toEqual(['a']);
      await writeFile(file, text('bb', 'ccc'));
      bridge.child.kill('SIGHUP');
      await expect.poll(() => bridge.err).toContain(`was reloaded (version 2): bb, ccc added; a removed`);
      expect(await bridge.devices()).toEqual(['bb', 'ccc']);
      expect(await bridge.config()).toMatchObject({
        file,
        generation: 2,
        applied: { added: ['bb', 'ccc'], changed: [], removed: ['a'], needs_restart: [] },
        problems: [],
      });
      bridge.child.kill('SIGHUP');
      await expect.poll(() => bridge.err).toContain('was reloaded (version 3): nothing is different');
      // `--port 0` is what it was started with; the file says another one, and the command line still wins.
      expect(bridge.err).not.toContain('needs a restart');
      bridge.child.kill('SIGTERM');
      expect(await bridge.exited).toEqual({ code: 0, signal: null });
    },
  );

  it.runIf(posix)('goes on as it was where the new version is wrong, and names the place', async () => {
    using bridge = RunningBridge.run(file, '--no-watch');
    expect(await bridge.devices()).toEqual(['a']);
    await writeFile(file, `server: { prot: 8080 }\n${text('bb')}`);
    bridge.child.kill('SIGHUP');
    await expect.poll(() => bridge.err).toContain('was not reloaded (1 error): all goes on as it was');
    expect(bridge.err).toContain(`${file}:1:11: error: server.prot`);
    await writeFile(file, 'devices: [');
    bridge.child.kill('SIGHUP');
    await expect.poll(() => bridge.err.split('was not reloaded')).toHaveLength(3);
    await rm(file);
    bridge.child.kill('SIGHUP');
    await expect.poll(() => bridge.err.split('was not reloaded')).toHaveLength(4);
    expect(await bridge.devices()).toEqual(['a']);
    expect(await bridge.config()).toMatchObject({
      generation: 1,
      rejected_at: expect.any(Number),
      problems: [expect.stringContaining('There is no such file')],
    });
    await writeFile(file, text('a', 'bb'));
    bridge.child.kill('SIGHUP');
    await expect.poll(() => bridge.devices()).toEqual(['a', 'bb']);
    expect(await bridge.config()).toMatchObject({ generation: 2, problems: [] });
  });

  it('reloads when its file is replaced, or written again after it was half written', async () => {
    using bridge = RunningBridge.run(file);
    expect(await bridge.devices()).toEqual(['a']);
    await replace(text('a', 'bb'));
    await expect.poll(() => bridge.devices(), { timeout: 15_000 }).toEqual(['a', 'bb']);
    await writeFile(file, text('a', 'bb', 'ccc').slice(0, -20));
    await expect.poll(() => bridge.err, { timeout: 15_000 }).toContain('was not reloaded');
    expect(await bridge.devices()).toEqual(['a', 'bb']);
    await writeFile(file, text('a', 'bb', 'ccc'));
    await expect.poll(() => bridge.devices(), { timeout: 15_000 }).toEqual(['a', 'bb', 'ccc']);
  });

  it('reloads when a file of messages changes that it came to name', async () => {
    const messages = (unit: string) =>
      `version: 1\nmessages:\n  - { name: t, id: 0x10, from: device, fields: [{ name: v, type: u8, unit: ${unit} }] }\n`;
    using bridge = RunningBridge.run(file);
    await bridge.url();
    await writeFile(join(folder, 'messages.yaml'), messages('V'));
    await replace(`messages: messages.yaml\n${text('a')}`);
    await expect.poll(() => bridge.config(), { timeout: 15_000 }).toMatchObject({ generation: 2 });
    await writeFile(join(folder, 'messages.yaml'), messages('A'));
    await expect
      .poll(() => bridge.config(), { timeout: 15_000 })
      .toMatchObject({ generation: 3, applied: { changed: ['a'] } });
  });

  it.runIf(posix && needs('python3').run)('ends in order when its terminal is closed', async () => {
    const script = [
      'import os, pty, sys',
      'pid, fd = pty.fork()',
      'if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])',
      'seen = b""',
      'while b"ws)" not in seen: seen += os.read(fd, 4096)',
      'os.write(1, seen)',
      'sys.stdin.readline()',
      'os.close(fd)',
      'os.waitpid(pid, 0)',
      'print("it has ended")',
    ].join('\n');
    const args = ['-c', script, process.execPath, program, 'run', file, '--port', '0'];
    using terminal = new RunningBridge(needs('python3').path, args, folder);
    const subscriber = new WebSocket(`${(await terminal.url()).replace('http', 'ws')}/ws`);
    await once(subscriber, 'message');
    const closed = once(subscriber, 'close');
    terminal.child.stdin?.write('close\n');
    expect((await closed)[0]).toBe(4000);
    // Older versions of Node abort at the very end, because the terminal cannot be reset: the exit code is not ours.
    await terminal.exited;
    expect(terminal.out).toContain('it has ended');
  });
});
