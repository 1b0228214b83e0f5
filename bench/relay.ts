import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { encodeFrame } from '../src/protocol/codec.ts';
import type { Bench, BenchRow } from './support/bench.ts';
import { clientFrame, upgradeTo } from './support/fan-out-way.ts';
import type { RelayPorts } from './support/relay-servers.ts';

const SUBSCRIBERS = 100;
const FRAMES = 400;
const WARM_UP = 100;
const MOST = 1.1;
/** Of an id that nobody declared: the bridge tells it to all who listen, and, like a relay, answers nothing. */
const FRAME = Buffer.from('000000017f', 'hex');
const REGISTER = encodeFrame({
  name: 'register',
  kind: 'request',
  fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
});

/** One device, and everybody who is told what it says. */
class Line {
  readonly #device: Socket;
  #sentAtMs = 0;
  #missing = 0;
  #done: (() => void) | undefined;
  /** From the write of the device to the arrival at one subscriber. */
  readonly delaysMs: number[] = [];

  private constructor(device: Socket) {
    this.#device = device;
    device.on('data', () => undefined);
  }

  static async open(ports: RelayPorts['bridge'], greet: (socket: Socket) => Promise<void>, tells: Buffer) {
    const device = connect({ port: ports.devices, host: '127.0.0.1', noDelay: true });
    await once(device, 'connect');
    const line = new Line(device);
    for (let count = 0; count < SUBSCRIBERS; count++) {
      const socket = connect({ port: ports.subscribers, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      await greet(socket);
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes(tells)) line.#arrived();
      });
    }
    return line;
  }

  write(bytes: Uint8Array): void {
    this.#device.write(bytes);
  }

  /** Sends one frame, and resolves when all have it. */
  send(): Promise<void> {
    this.#missing = SUBSCRIBERS;
    this.#sentAtMs = performance.now();
    this.#device.write(FRAME);
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  close(): void {
    this.#device.destroy();
  }

  #arrived(): void {
    if (this.#missing === 0) return;
    this.delaysMs.push(performance.now() - this.#sentAtMs);
    if (--this.#missing === 0) this.#done?.();
  }
}

/** Resolves when the snapshot is complete. */
async function subscribe(socket: Socket): Promise<void> {
  socket.write(upgradeTo('/ws'));
  socket.write(
    Buffer.from(clientFrame(JSON.stringify({ type: 'subscribe', topics: ['devices/+/messages'] })), 'hex'),
  );
  for await (const [chunk] of onData(socket)) if (chunk.includes('"type":"synced"')) return;
}

async function* onData(socket: Socket): AsyncGenerator<[Buffer]> {
  // What a socket emits as `data` is a buffer where no encoding was set.
  for (;;) yield (await once(socket, 'data')) as [Buffer];
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function* run(): AsyncGenerator<BenchRow> {
  const own = fileURLToPath(import.meta.url);
  const servers: ChildProcess = fork(own.replace(/relay(\.[jt]s)$/, 'support/relay-servers$1'));
  // What the child sends first is where it listens.
  const [ports] = (await once(servers, 'message')) as [RelayPorts];
  const bridge = await Line.open(ports.bridge, subscribe, Buffer.from('"type":"event"'));
  const raw = await Line.open(ports.raw, () => Promise.resolve(), FRAME);
  const padded = await Line.open(ports.padded, () => Promise.resolve(), FRAME);
  const lines = [bridge, raw, padded];
  try {
    bridge.write(REGISTER);
    for (let count = 0; count < WARM_UP + FRAMES; count++) {
      if (count === WARM_UP) for (const line of lines) line.delaysMs.length = 0;
      for (const line of lines) await line.send();
    }
    for (const [what, peer] of [
      ['raw Node relay', raw],
      ['raw Node relay of as many bytes', padded],
    ] as const) {
      for (const [name, share] of [
        ['p50', 0.5],
        ['p99', 0.99],
      ] as const) {
        const ours = percentile(bridge.delaysMs, share);
        const theirs = percentile(peer.delaysMs, share);
        yield {
          name: `one frame in, ${SUBSCRIBERS} subscribers out, ${name}`,
          figure: `${(ours * 1_000).toFixed(0)} us`,
          peer: `${what} ${(theirs * 1_000).toFixed(0)} us`,
          ratio: (ours / theirs).toFixed(3),
          ...(share === 0.5 ? { target: { text: `<= ${MOST}`, met: ours <= MOST * theirs } } : {}),
        };
      }
    }
  } finally {
    for (const line of lines) line.close();
    servers.disconnect();
  }
}

/** How long a frame of a device takes to everybody who listens. */
export const bench: Bench = {
  about: `from the write of a device to the arrival at each of ${SUBSCRIBERS} subscribers, decoded and as JSON, beside the five bytes passed on as they are, and beside as many bytes as are told; in turns`,
  run,
};
