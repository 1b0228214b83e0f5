import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type IPty, spawn } from '@lydell/node-pty';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasPtys } from '../support/pty.ts';
import { runCli } from './check-io.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;
const ENTER = '\r';

describe.runIf(hasPtys())('the compiled init on a real terminal', () => {
  let folder = '';
  let server: Server;
  let address = '';
  let pty: IPty;
  let out = '';
  let exited: Promise<number>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-init-'));
    let index = 0;
    server = createServer((socket) => {
      const timer = setInterval(() => socket.write(`level=${index++},state=on\r\n`), 10);
      socket.on('error', () => undefined);
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    address = `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
    out = '';
    pty = spawn(process.execPath, [program, 'init'], { cols: 100, rows: 30, cwd: folder });
    pty.onData((text) => {
      out += text;
    });
    exited = new Promise((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
  });
  afterEach(async () => {
    pty.kill('SIGKILL');
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rm(folder, { recursive: true, force: true });
  });

  /** Waits for a question that was not there when it was last answered; what is printed stays printed. */
  async function answer(question: string, keys: string): Promise<void> {
    await expect.poll(() => out).toContain(question);
    out = out.slice(out.indexOf(question) + question.length);
    pty.write(keys);
  }

  /** Goes on without any port, on machines that have some. */
  async function withoutPorts(): Promise<void> {
    await expect.poll(() => out).toMatch(/Which serial ports|A device to dial over TCP/);
    if (out.includes('Which serial ports')) pty.write(ENTER);
  }

  it('listens, proposes what fits, and writes what was answered', async () => {
    await withoutPorts();
    await answer('A device to dial over TCP', `${address}${ENTER}`);
    await answer('A device to dial over TCP', ENTER);
    await answer('Its id', `tank${ENTER}`);
    await answer('What does it say?', ENTER);
    await answer('Where may devices dial in?', `-${ENTER}`);
    expect(await exited).toBe(0);
    const text = await readFile(join(folder, 'devices.yaml'), 'utf8');
    expect(text).toContain(`link: "tcp:${address}"`);
    expect(text).toContain('messages: "tank.yaml"');
    expect(await readFile(join(folder, 'tank.yaml'), 'utf8')).toContain('columns: auto');
    expect((await runCli(['check', 'devices.yaml'], folder)).code).toBe(0);
  });

  it('writes nothing after Ctrl-C', async () => {
    await withoutPorts();
    await answer('A device to dial over TCP', '\u0003');
    expect(await exited).toBe(1);
    await expect.poll(() => out).toContain('nothing was written');
    await expect(readFile(join(folder, 'devices.yaml'))).rejects.toThrow();
  });
});
