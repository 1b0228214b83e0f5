import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;

/** The compiled program as a bridge of its own, with one subscriber that never answers and one that does. */
class RunningBridge {
  readonly child: ChildProcess;
  readonly mute: Socket;
  readonly subscriber: WebSocket;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;

  private constructor(child: ChildProcess, mute: Socket, subscriber: WebSocket) {
    this.child = child;
    this.mute = mute;
    this.subscriber = subscriber;
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal }));
    });
  }

  static async start(file: string, ...nodeOptions: readonly string[]): Promise<RunningBridge> {
    expect(existsSync(program), 'npm test compiles the program first; so does npm run build').toBe(true);
    const child = spawn(process.execPath, [...nodeOptions, program, 'run', file, '--port', '0'], {
      cwd: dirname(file),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    child.stdout?.on('data', (chunk) => {
      out += chunk;
    });
    await expect.poll(() => out, { timeout: 15_000 }).toContain('Heartwire is at');
    const port = Number(/Heartwire is at http:\/\/127\.0\.0\.1:(\d+)/.exec(out)?.[1]);
    const mute = connect({ host: '127.0.0.1', port });
    mute.on('error', () => mute.destroy());
    mute.write(
      'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    await once(mute, 'data');
    mute.pause();
    const subscriber = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await once(subscriber, 'message');
    return new RunningBridge(child, mute, subscriber);
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
    this.mute.destroy();
    this.subscriber.terminate();
  }
}

describe('a bridge in a process of its own', () => {
  let folder = '';
  let file = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
    file = join(folder, 'devices.yaml');
    await writeFile(file, 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\n');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('says goodbye when it is told to end, and exits with 0 though one does not answer', async () => {
    using bridge = await RunningBridge.start(file);
    const closed = once(bridge.subscriber, 'close');
    bridge.child.kill('SIGTERM');
    expect((await closed)[0]).toBe(4000);
    expect(await bridge.exited).toEqual({ code: 0, signal: null });
  });

  it.each([
    ['thrown', 'throw new TypeError("nobody catches this")'],
    ['rejected', 'Promise.reject(new TypeError("nobody catches this"))'],
  ])(
    'says goodbye too when something is %s that nobody catches, tells the log, and exits with 1',
    async (_how, code) => {
      const defect = `data:text/javascript,process.on('SIGUSR2',()=>{${code}})`;
      using bridge = await RunningBridge.start(file, '--import', defect);
      let log = '';
      bridge.child.stderr?.on('data', (chunk) => {
        log += chunk;
      });
      const closed = once(bridge.subscriber, 'close');
      bridge.child.kill('SIGUSR2');
      expect((await closed)[0]).toBe(4000);
      expect(await bridge.exited).toEqual({ code: 1, signal: null });
      const lines = log
        .split('\n')
        .flatMap((line) => (line.includes('internal_error') ? [JSON.parse(line)] : []));
      expect(lines).toEqual([
        expect.objectContaining({
          code: 'internal_error',
          err: expect.objectContaining({ message: 'nobody catches this', stack: expect.any(String) }),
        }),
      ]);
    },
  );

  it('ends at once when it is told twice', async () => {
    using bridge = await RunningBridge.start(file);
    const closed = once(bridge.subscriber, 'close');
    bridge.child.kill('SIGTERM');
    await closed;
    // Now it waits for the other one.
    bridge.child.kill('SIGTERM');
    expect(await bridge.exited).toEqual({ code: null, signal: 'SIGTERM' });
  });
});
