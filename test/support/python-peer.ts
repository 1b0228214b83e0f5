import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { needs } from './needs.ts';

/** One line that the peer printed. */
export interface PeerEvent {
  readonly event:
    | 'listening'
    | 'connected'
    | 'disconnected'
    | 'refused'
    | 'sent'
    | 'request'
    | 'reply'
    | 'unknown';
  readonly message?: 'register' | 'heartbeat' | 'datetime';
  readonly port?: number;
  readonly address?: string;
  readonly error?: number;
  readonly hex?: string;
  readonly text?: string;
  readonly appid?: string;
  readonly imei?: string;
  readonly reason?: string;
  readonly id?: number;
}

const SCRIPT = fileURLToPath(new URL('peer.py', import.meta.url));

/** `peer.py` as a process: a device that shares no code with us. Use with `await using`, or stop it. */
export class PythonPeer {
  /** All that it has printed, in order. */
  readonly events: PeerEvent[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<void>;
  /** Tells who waits that there is something to look at. */
  readonly #news = new EventEmitter();
  #ended = false;
  #errors = '';
  readonly #killAtExit = (): void => void this.#process.kill('SIGKILL');

  private constructor(args: readonly string[]) {
    this.#process = spawn(needs('python3').path, ['-u', SCRIPT, ...args], { stdio: 'pipe' });
    this.#exited = new Promise((resolve) => {
      this.#process.once('close', () => resolve());
      // It could not be started: `waitFor` says so.
      this.#process.once('error', (error) => {
        this.#errors += error.message;
        resolve();
      });
    });
    void this.#exited.then(() => {
      this.#ended = true;
      this.#news.emit('news');
    });
    // A test runner that is cut short must not leave a stopped process behind.
    process.once('exit', this.#killAtExit);
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text;
    });
    // Writing to a peer that has ended is what some tests do.
    this.#process.stdin.on('error', () => undefined);
    createInterface(this.#process.stdout).on('line', (line) => {
      // The script prints nothing else; a line that is no JSON fails the test, as it should.
      this.events.push(JSON.parse(line) as PeerEvent);
      this.#news.emit('news');
    });
  }

  /** Dials us: `args` are further options of `peer.py dial`. */
  static dial(port: number, ...args: string[]): PythonPeer {
    return new PythonPeer(['dial', '127.0.0.1', String(port), ...args]);
  }

  /** Listens for us; resolves once it does, with its port. Port 0 takes any. */
  static async serve(port = 0, ...args: string[]): Promise<{ peer: PythonPeer; port: number }> {
    const peer = new PythonPeer(['serve', String(port), ...args]);
    try {
      const listening = await peer.waitFor((each) => each.event === 'listening');
      return { peer, port: listening.port ?? 0 };
    } catch (error) {
      await peer.kill();
      throw error;
    }
  }

  /** The first event that fits, of those from index `from` on; waits for it. Fails when the peer ends before. */
  async waitFor(fits: (event: PeerEvent) => boolean, from = 0): Promise<PeerEvent> {
    const tooLate = AbortSignal.timeout(30_000);
    for (;;) {
      const found = this.events.slice(from).find(fits);
      if (found !== undefined) return found;
      if (this.#ended || tooLate.aborted) {
        const last = this.events.slice(-5).map((each) => JSON.stringify(each));
        throw new Error(
          `the peer ${this.#ended ? 'ended' : 'went on'} without it. ${this.#errors}\nLast: ${last.join('\n')}`,
        );
      }
      // It says something, it ends, or the time is up: each is looked at above.
      await once(this.#news, 'news', { signal: tooLate }).catch(() => undefined);
    }
  }

  /** `cut`, or `send 0000000101`. */
  command(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  /** SIGSTOP: it answers nothing, its kernel keeps the links open. */
  freeze(): void {
    this.#process.kill('SIGSTOP');
  }

  /** SIGCONT. */
  thaw(): void {
    this.#process.kill('SIGCONT');
  }

  /** SIGKILL, and waits until it is gone; idempotent. */
  async kill(): Promise<void> {
    // The stdio of a process that is stopped closes too once it is killed.
    this.#process.kill('SIGKILL');
    await this.#exited;
    process.off('exit', this.#killAtExit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
