import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { DevicesOrder } from './support/beating-devices.ts';
import { type Bench, type BenchOptions, type BenchRow, median } from './support/bench.ts';
import type { FleetServerKind, FleetServerReport } from './support/fleet-server.ts';
import type { StormOrder } from './support/storm-peers.ts';

const DEVICES = 1_000;
const SUBSCRIBERS = 1_000;
/** Each device beats once in it. */
const INTERVAL_MS = 3_000;
const ROUNDS = 3;
const ROUND_MS = { usual: 6_000, large: 30_000 } as const;
/** What came with their coming is over. */
const REST_MS = 6_000;
const MOST_CPU = 0.12;
const MOST_MIB = 200;

const child = (name: string, ...argv: string[]): ChildProcess =>
  fork(fileURLToPath(import.meta.url).replace(/idle-fleet(\.[jt]s)$/, `support/${name}$1`), argv);

async function ask<Order extends object | string>(peer: ChildProcess, order: Order): Promise<unknown> {
  const done = once(peer, 'message');
  peer.send(order);
  return (await done)[0];
}

interface Usage {
  /** Of a core. */
  readonly cpu: number;
  readonly mbPerSecond: number;
  readonly rssMiB: number;
}

/** A server and its devices, each in a process of its own. */
class Fleet {
  readonly #server: ChildProcess;
  readonly #devices = child('beating-devices');
  #port = 0;
  #devicePort = 0;

  private constructor(kind: FleetServerKind) {
    this.#server = child('fleet-server', kind);
  }

  static async open(kind: FleetServerKind): Promise<Fleet> {
    const fleet = new Fleet(kind);
    // It says nothing else.
    const [{ port, devicePort }] = (await once(fleet.#server, 'message')) as [FleetServerReport];
    fleet.#port = port;
    fleet.#devicePort = devicePort;
    return fleet;
  }

  async subscribe(subscribers: ChildProcess): Promise<void> {
    await ask(subscribers, { do: 'subscribe', port: this.#port, count: SUBSCRIBERS } satisfies StormOrder);
  }

  /** The devices dial in; they are to beat soon. */
  async connect(): Promise<void> {
    const order: DevicesOrder = { do: 'connect', port: this.#devicePort, devices: DEVICES };
    await ask(this.#devices, order);
  }

  async beat(ms: number): Promise<Usage> {
    const sentBefore = await this.#sentBytes();
    const before = await this.#report();
    const perSecond = (DEVICES * 1_000) / INTERVAL_MS;
    await ask(this.#devices, { do: 'beat', port: this.#devicePort, perSecond, ms } satisfies DevicesOrder);
    const after = await this.#report();
    return {
      cpu: (after.cpuMs - before.cpuMs) / ms,
      mbPerSecond: ((await this.#sentBytes()) - sentBefore) / ms / 1_000,
      rssMiB: after.rssMiB,
    };
  }

  /** To subscribers over WebSockets, since the start. */
  async #sentBytes(): Promise<number> {
    if (this.#port === 0) return 0;
    const metrics = await (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
    return Number(/^heartwire_feed_sent_bytes_total\{transport="websocket"\} (\S+)/m.exec(metrics)?.[1]);
  }

  close(): void {
    this.#devices.disconnect();
    this.#server.disconnect();
  }

  #report(): Promise<FleetServerReport> {
    // What it answers is what it says.
    return ask(this.#server, 'report') as Promise<FleetServerReport>;
  }
}

async function* run({ large }: BenchOptions): AsyncGenerator<BenchRow> {
  const ms = large ? ROUND_MS.large : ROUND_MS.usual;
  const subscribers = child('storm-peers');
  const bridge = await Fleet.open('bridge');
  const bare = await Fleet.open('bare');
  try {
    await bridge.subscribe(subscribers);
    await bare.connect();
    await bridge.connect();
    await Promise.all([bridge.beat(REST_MS), bare.beat(REST_MS)]);
    const [ours, theirs]: [Usage[], Usage[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      // The other one beats on meanwhile, so that no device is lost.
      const [one] = await Promise.all([bridge.beat(ms), bare.beat(ms)]);
      ours.push(one);
      const [, other] = await Promise.all([bridge.beat(ms), bare.beat(ms)]);
      theirs.push(other);
    }
    const [cpu, peer] = [median(ours.map((each) => each.cpu)), median(theirs.map((each) => each.cpu))];
    const rssMiB = Math.max(...ours.map((each) => each.rssMiB));
    const percent = (of: number): string => `${(100 * of).toFixed(1)} %`;
    yield {
      name: `${DEVICES} devices that only beat, ${SUBSCRIBERS} subscribers of devices/#`,
      figure: `${percent(cpu)} of a core, ${rssMiB.toFixed(0)} MiB, ${median(ours.map((each) => each.mbPerSecond)).toFixed(0)} MB/s`,
      peer: `bare server that answers the beats, without subscribers: ${percent(peer)}`,
      ratio: (cpu / peer).toFixed(2),
      target: {
        text: `<= ${100 * MOST_CPU} % and <= ${MOST_MIB} MiB`,
        met: cpu <= MOST_CPU && rssMiB <= MOST_MIB,
      },
    };
  } finally {
    bridge.close();
    bare.close();
    subscribers.disconnect();
  }
}

/** A fleet that does nothing, which costs nearly nothing. */
export const bench: Bench = {
  about: `what ${DEVICES} devices that only beat cost a bridge with ${SUBSCRIBERS} subscribers, and a bare server that answers them`,
  run,
};
