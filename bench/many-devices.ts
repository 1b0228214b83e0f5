import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { encodeFrame } from '../src/protocol/codec.ts';
import type { Bench, BenchOptions, BenchRow } from './support/bench.ts';
import type { LoadOrder, LoadReport } from './support/device-load.ts';
import type { DeviceServerReport } from './support/device-servers.ts';

const DEVICES = 1_000;
/** Frames of each device a second: every step is tried, up to the one that the machine does not carry. */
const STEPS = { usual: [10, 30, 100], large: [10, 20, 30, 50, 70, 100] } as const;
const MS = 3_000;
const FRAME_BYTES = encodeFrame({ name: 'heartbeat', kind: 'request' }).length;
const ANSWER_BYTES = encodeFrame({
  name: 'heartbeat',
  kind: 'reply',
  error: 0,
}).length;
/** A source that takes this much longer than it should is what is measured, and not the server. */
const SOURCE_SLACK = 1.1;

const child = (name: string, ...argv: string[]): ChildProcess =>
  fork(fileURLToPath(import.meta.url).replace(/many-devices(\.[jt]s)$/, `support/${name}$1`), argv);

async function next<Report>(from: ChildProcess): Promise<Report> {
  // Each child sends but one kind of report.
  return (await once(from, 'message'))[0] as Report;
}

interface Carried {
  readonly load: LoadReport;
  readonly server: DeviceServerReport;
  readonly cpuUs: number;
}

class Way {
  readonly #server: ChildProcess;
  readonly #load = child('device-load');

  private constructor(kind: 'bridge' | 'sink') {
    this.#server = child('device-servers', kind);
  }

  static async open(kind: 'bridge' | 'sink'): Promise<Way> {
    const way = new Way(kind);
    const { port } = await next<DeviceServerReport>(way.#server);
    await way.#order<'done'>({ do: 'connect', port, devices: DEVICES });
    return way;
  }

  async carry(perSecond: number): Promise<Carried> {
    const before = await this.#report();
    const load = await this.#order<LoadReport>({ do: 'send', perSecond, ms: MS });
    const server = await this.#report();
    return { load, server, cpuUs: ((server.cpuMs - before.cpuMs) * 1_000) / load.sent };
  }

  close(): void {
    this.#load.disconnect();
    this.#server.disconnect();
  }

  #report(): Promise<DeviceServerReport> {
    const report = next<DeviceServerReport>(this.#server);
    this.#server.send('report');
    return report;
  }

  #order<Report>(order: LoadOrder): Promise<Report> {
    const report = next<Report>(this.#load);
    this.#load.send(order);
    return report;
  }
}

async function* run({ large }: BenchOptions): AsyncGenerator<BenchRow> {
  const [bridge, sink] = [await Way.open('bridge'), await Way.open('sink')];
  try {
    for (const perSecond of large ? STEPS.large : STEPS.usual) {
      const theirs = await sink.carry(perSecond);
      const ours = await bridge.carry(perSecond);
      const { sent, answeredBytes, tookMs } = ours.load;
      const lost = sent - answeredBytes / ANSWER_BYTES;
      const slow = tookMs > MS * SOURCE_SLACK ? `, in ${(tookMs / 1_000).toFixed(1)} s instead of 3` : '';
      const sinkLost = theirs.load.sent - theirs.server.receivedBytes / FRAME_BYTES;
      yield {
        name: `${DEVICES} devices at ${perSecond} frames a second`,
        figure: `${sent} frames${slow}, ${lost} without an answer; loop delay p99 ${ours.server.p99Ms.toFixed(1)} ms, ${ours.cpuUs.toFixed(1)} us CPU a frame`,
        peer: `raw net sink ${theirs.server.p99Ms.toFixed(1)} ms, ${theirs.cpuUs.toFixed(1)} us, ${sinkLost} lost`,
        ratio: (ours.server.p99Ms / theirs.server.p99Ms).toFixed(2),
        target: { text: 'none lost', met: lost === 0 },
      };
    }
  } finally {
    bridge.close();
    sink.close();
  }
}

/** What very many devices that talk at once cost. */
export const bench: Bench = {
  about: `${DEVICES} devices dial in and send heartbeats, which the bridge decodes, keeps count of and answers; beside a server that only reads`,
  run,
};
