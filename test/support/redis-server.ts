import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { needs } from './needs.ts';

/** Whichever is there; `HEARTWIRE_REDIS` names another one, such as `valkey-server`. */
const need = needs('redis-server');
const PROGRAM = process.env.HEARTWIRE_REDIS ?? need.path;

/** Whether the real server can be run here; hand it to `describe.runIf`. */
export const hasRedis = need.run;

export interface RedisServerOptions {
  /** The program: `redis-server` or `valkey-server` where it is left out. */
  readonly program?: string;
  /** Further settings, as on the command line. */
  readonly args?: readonly string[];
}

/** A real server on a port of 127.0.0.1, without a disk unless `args` say so; ended by its disposal. */
export class RedisServer {
  readonly port: number;
  readonly folder: string;
  readonly #options: RedisServerOptions;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, options: RedisServerOptions) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'redis-')), options);
    await server.run();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again at the same port; resolves once it answers. */
  async run(): Promise<void> {
    const { program = PROGRAM, args = ['--save', '', '--appendonly', 'no'] } = this.#options;
    const all = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, ...args];
    const child = spawn(program, all, { stdio: 'ignore' });
    this.#process = child;
    const failed = once(child, 'error').then(([error]: unknown[]) => {
      throw error;
    });
    const exited = once(child, 'exit').then(() => {
      throw new Error(`${program} ended at once`);
    });
    for (const each of [failed, exited]) each.catch(() => undefined);
    await Promise.race([this.#answers(), failed, exited]);
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name);
  }

  /** Ends it at once; what it did not write is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** While it does not run: what it wrote to its disk is gone. */
  async forget(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await mkdir(this.folder);
  }

  /** The reply of one inline command, as it comes over the wire. */
  ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => socket.write(`${line}\r\n`));
      socket.once('data', (data) => {
        socket.destroy();
        resolve(data.toString());
      });
      socket.once('error', reject);
      socket.once('end', () => reject(new Error('the server closed the connection')));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #answers(): Promise<void> {
    for (;;) {
      const reply = await this.ask('PING').catch(() => '');
      // One that asks for a password is there too.
      if (reply.startsWith('+PONG') || reply.startsWith('-NOAUTH')) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
