import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** What the device speaks: it counts by itself, and does `work` once for each command that comes. */
export const COUNTING_MESSAGES = `version: 1
protocol:
  framing: { type: delimiter, delimiter: "\\n", first: take, max_frame: 64 }
messages:
  - name: count
    from: device
    fields:
      - { name: prefix, type: text, value: "N" }
      - { name: n, type: number, length: rest }
  - name: work
    from: host
    fields:
      - { name: prefix, type: text, value: "W" }
      - { name: job, type: number, length: rest, decimals: 0, range: [0, 1000000000] }
    reply:
      fields:
        - { name: prefix, type: text, value: "D" }
        - { name: job, type: number, length: rest }
`;

const COUNT_MS = 50;

/** A device that dialled connections reach: each number goes to the newest one only, and each job is counted. */
export class CountingDevice implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#connected(socket));
  readonly #timer = setInterval(() => this.#count(), COUNT_MS);
  /** How often each job was done. */
  readonly jobs = new Map<string, number>();
  /** The last number that was sent. */
  last = 0;

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #count(): void {
    const newest = [...this.#sockets].at(-1);
    if (newest !== undefined) newest.write(`N${++this.last}\n`);
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    let held = '';
    socket.on('data', (chunk) => {
      const lines = (held + String(chunk)).split('\n');
      held = lines.pop() ?? '';
      for (const line of lines) {
        if (!line.startsWith('W')) continue;
        const job = line.slice(1);
        this.jobs.set(job, (this.jobs.get(job) ?? 0) + 1);
        socket.write(`D${job}\n`);
      }
    });
  }
}
