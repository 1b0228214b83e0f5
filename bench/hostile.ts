import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { encodeFrame } from '../src/protocol/codec.ts';
import { type Bench, type BenchOptions, type BenchRow, median } from './support/bench.ts';
import { HOSTILE_KINDS, type HostileKind, type HostileOrder } from './support/hostile-clients.ts';
import type { HostileAsk, HostileReport } from './support/hostile-server.ts';

const OTHERS = 20;
const PHASE_MS = { usual: 1_500, large: 5_000 } as const;
const ROUNDS = 3;
/** Those that are bounded by a ratio. */
const BY_RATIO = /^(?:pipelined|names|unfinished)/;
/** What they may make of it: so many times as long. */
const MOST_TIMES = 3;
/** What a hostile neighbour may add to the slowest hundredth of what the others are told. */
const MOST_MORE_MS = 10;

const child = (name: string): ChildProcess =>
  fork(fileURLToPath(import.meta.url).replace(/hostile(\.[jt]s)$/, `support/${name}$1`));

/** Those who do nothing wrong, and how long each message took to them. */
class Others {
  #delaysMs: number[] = [];
  readonly #sockets: WebSocket[] = [];

  static async connect(port: number): Promise<Others> {
    const others = new Others();
    for (let count = 0; count < OTHERS; count++) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: false });
      others.#sockets.push(socket);
      await once(socket, 'open');
      socket.send('{"type":"subscribe","topics":["devices/+/messages"]}');
      socket.on('message', (data) => others.#heard(String(data)));
    }
    return others;
  }

  async p99(forMs: number): Promise<number> {
    this.#delaysMs = [];
    await sleep(forMs);
    const sorted = this.#delaysMs.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  #heard(text: string): void {
    const at = /"at":([\d.]+)/.exec(text)?.[1];
    if (at !== undefined) this.#delaysMs.push(performance.timeOrigin + performance.now() - Number(at));
  }
}

const REGISTER = encodeFrame({
  name: 'register',
  kind: 'request',
  fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
});
const HEARTBEAT = encodeFrame({ name: 'heartbeat', kind: 'request' });
const ANSWER_BYTES = 6;
const BEAT_EVERY_MS = 20;

/** A device that does nothing wrong, by a bare socket: how long its heartbeats wait for their answers, one at a time. */
class WitnessDevice {
  readonly #socket: Socket;
  #delaysMs: number[] = [];
  #sentAt = performance.now();
  #missing = ANSWER_BYTES;
  #timer: NodeJS.Timeout | undefined;
  /** It lost its link. */
  lost = false;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true);
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => {
      this.lost = true;
    });
    this.#socket.on('data', ({ length }) => this.#answered(length));
    this.#socket.write(REGISTER);
  }

  /** Of all beats since the last time; one that waits still counts with what it has waited. */
  takeP99(): number {
    const waiting = this.#missing > 0 ? [performance.now() - this.#sentAt] : [];
    const sorted = [...this.#delaysMs, ...waiting].toSorted((a, b) => a - b);
    this.#delaysMs = [];
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #answered(bytes: number): void {
    this.#missing -= bytes;
    if (this.#missing > 0) return;
    this.#delaysMs.push(performance.now() - this.#sentAt);
    this.#timer = setTimeout(() => {
      this.#missing = ANSWER_BYTES;
      this.#sentAt = performance.now();
      this.#socket.write(HEARTBEAT);
    }, BEAT_EVERY_MS);
  }
}

async function* run({ large }: BenchOptions): AsyncGenerator<BenchRow> {
  const [server, clients] = [child('hostile-server'), child('hostile-clients')];
  const report = async (): Promise<HostileReport> => {
    // It says nothing else.
    const [said] = (await once(server, 'message')) as [HostileReport];
    return said;
  };
  /** Resolves to the name server that the clients serve now, where they do. */
  const tell = async (order: HostileOrder): Promise<string> => {
    const done = once(clients, 'message');
    clients.send(order);
    const [nameServer] = (await done) as [string];
    return nameServer;
  };
  const ask = async (what: HostileAsk): Promise<HostileReport> => {
    const next = report();
    server.send(what);
    return next;
  };
  const { port, devicePort, tlsPort } = await report();
  const others = await Others.connect(port);
  const device = new WitnessDevice(devicePort);
  const phaseMs = large ? PHASE_MS.large : PHASE_MS.usual;
  const measure = async (kind: HostileKind): Promise<BenchRow> => {
    const [quiet, disturbed]: [number[], number[]] = [[], []];
    const [calmBeats, beats]: [number[], number[]] = [[], []];
    let rssMiB = 0;
    for (let round = 0; round < ROUNDS; round++) {
      device.takeP99();
      quiet.push(await others.p99(phaseMs));
      calmBeats.push(device.takeP99());
      const nameServer = await tell({ do: 'start', kind, port, tlsPort });
      if (nameServer !== '') await ask({ nameServer });
      device.takeP99();
      disturbed.push(await others.p99(phaseMs));
      beats.push(device.takeP99());
      rssMiB = Math.max(rssMiB, (await ask('report')).rssMiB);
      if (nameServer !== '') await ask({ nameServer: undefined });
      await tell({ do: 'stop' });
      await sleep(300);
    }
    const [without, beside] = [median(quiet), median(disturbed)];
    const [calm, beat] = [median(calmBeats), median(beats)];
    const isRatio = BY_RATIO.test(kind);
    const within = (disturbedMs: number, quietMs: number): boolean =>
      disturbedMs <= (isRatio ? quietMs * MOST_TIMES : quietMs + MOST_MORE_MS);
    const bound = isRatio ? `<= ${MOST_TIMES} x` : `<= ${MOST_MORE_MS} ms more`;
    return {
      name: kind,
      figure: `p99 of the others ${beside.toFixed(1)} ms, of a device ${beat.toFixed(1)} ms${device.lost ? ', which lost its link' : ''}; server ${rssMiB.toFixed(0)} MiB`,
      peer: `without ${without.toFixed(1)} ms, ${calm.toFixed(1)} ms`,
      ratio: `${(beside / without).toFixed(2)}, ${(beat / calm).toFixed(2)}`,
      target: {
        text: `${bound}, no link lost`,
        met: within(beside, without) && within(beat, calm) && !device.lost,
      },
    };
  };
  try {
    await others.p99(phaseMs);
    for (const kind of HOSTILE_KINDS) {
      if (kind === 'unfinished handshakes' && tlsPort === undefined)
        yield { name: kind, figure: 'skipped: no openssl to make a certificate with', peer: '-', ratio: '-' };
      else yield await measure(kind);
    }
  } finally {
    others.close();
    device.close();
    clients.disconnect();
    server.disconnect();
  }
}

/** What subscribers that mean no good do to other subscribers, and to a device. */
export const bench: Bench = {
  about: `how long a message takes to ${OTHERS} subscribers, and an answer to a device, beside hostile subscribers of each kind, and without, in turns`,
  run,
};
