import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { DevicesOrder } from './support/beating-devices.ts';
import { type Bench, type BenchOptions, type BenchRow, median, spread } from './support/bench.ts';
import { cpuOf, placement, rssOf } from './support/processes.ts';
import { type ProgramPorts, startPrinted, startProgram } from './support/rivals.ts';
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

/** What a fleet may do at a listener that is to take it at once; it does not beat while it dials in. */
const WIDE_OPEN =
  ', heartbeat: { interval: 3s, missed: 20 }, max_devices: 20000, max_connections: 20000, max_connections_per_address: 20000, max_nameless: 20000, max_new_per_minute: 100000';

/** A server and its devices, each in a process of its own. */
class Fleet {
  readonly #server: ProgramPorts;
  readonly #devices = child('beating-devices');

  private constructor(server: ProgramPorts) {
    this.#server = server;
  }

  static async bridge(dist?: string): Promise<Fleet> {
    return new Fleet(await startProgram(dist, { listener: WIDE_OPEN }));
  }

  static async bare(): Promise<Fleet> {
    const own = fileURLToPath(import.meta.url).replace(/idle-fleet(\.[jt]s)$/, 'support/fleet-server$1');
    const { pid, ports, close } = await startPrinted([process.execPath, own]);
    return new Fleet({ pid, port: 0, devicePort: ports[0] ?? 0, close });
  }

  async subscribe(subscribers: ChildProcess): Promise<void> {
    const order: StormOrder = { do: 'subscribe', port: this.#server.port, count: SUBSCRIBERS };
    await ask(subscribers, order);
  }

  /** The devices dial in; they are to beat soon. */
  async connect(): Promise<void> {
    const order: DevicesOrder = { do: 'connect', port: this.#server.devicePort, devices: DEVICES };
    await ask(this.#devices, order);
  }

  async beat(ms: number): Promise<Usage> {
    const { pid, devicePort } = this.#server;
    const [sentBefore, before] = [await this.#sentBytes(), cpuOf(pid)];
    const perSecond = (DEVICES * 1_000) / INTERVAL_MS;
    await ask(this.#devices, { do: 'beat', port: devicePort, perSecond, ms } satisfies DevicesOrder);
    const cpu = (cpuOf(pid) - before) / 1_000 / ms;
    return {
      cpu,
      mbPerSecond: ((await this.#sentBytes()) - sentBefore) / ms / 1_000,
      rssMiB: rssOf(pid),
    };
  }

  /** To subscribers over WebSockets, since the start. */
  async #sentBytes(): Promise<number> {
    if (this.#server.port === 0) return 0;
    const metrics = await (await fetch(`http://127.0.0.1:${this.#server.port}/metrics`)).text();
    return Number(/^heartwire_feed_sent_bytes_total\{transport="websocket"\} (\S+)/m.exec(metrics)?.[1]);
  }

  async close(): Promise<void> {
    this.#devices.disconnect();
    await this.#server.close();
  }
}

const percent = (of: number): string => `${(100 * of).toFixed(1)} %`;
const percents = (of: readonly number[]): string =>
  `${spread(
    of.map((each) => 100 * each),
    1,
  )} % of a core`;

async function* run({ large, before }: BenchOptions): AsyncGenerator<BenchRow> {
  if (platform() !== 'linux') {
    yield { name: 'skipped', figure: '-', peer: `/proc is needed, and this is ${platform()}`, ratio: '-' };
    return;
  }
  const ms = large ? ROUND_MS.large : ROUND_MS.usual;
  const subscribers = child('storm-peers');
  const fleets = [await Fleet.bridge(), await Fleet.bare()];
  if (before !== undefined) fleets.push(await Fleet.bridge(before));
  try {
    for (const fleet of fleets) {
      if (fleet !== fleets[1]) await fleet.subscribe(subscribers);
      await fleet.connect();
      await fleet.beat(1);
    }
    await Promise.all(fleets.map((fleet) => fleet.beat(REST_MS)));
    const usages: Usage[][] = fleets.map(() => []);
    // All beat on meanwhile, so that no device is lost.
    for (let round = 0; round < ROUNDS; round++)
      for (const [index, usage] of (await Promise.all(fleets.map((fleet) => fleet.beat(ms)))).entries())
        usages[index]?.push(usage);
    const [ours = [], bare = [], former] = usages;
    const cpuOfAll = (of: readonly Usage[]): number[] => of.map((each) => each.cpu);
    const inWords = (of: readonly Usage[]): string =>
      `${percents(cpuOfAll(of))}, ${spread(
        of.map((each) => each.rssMiB),
        0,
      )} MiB, ${median(of.map((each) => each.mbPerSecond)).toFixed(1)} MB/s`;
    const cpu = median(cpuOfAll(ours));
    const rssMiB = Math.max(...ours.map((each) => each.rssMiB));
    const name = `${DEVICES} devices that only beat, ${SUBSCRIBERS} subscribers of devices/#`;
    yield {
      name,
      figure: inWords(ours),
      peer: `bare server that answers the beats, without subscribers: ${percents(cpuOfAll(bare))}`,
      ratio: (cpu / median(cpuOfAll(bare))).toFixed(2),
      target: {
        text: `<= ${percent(MOST_CPU)} and <= ${MOST_MIB} MiB`,
        met: cpu <= MOST_CPU && rssMiB <= MOST_MIB,
      },
    };
    if (former === undefined) return;
    yield {
      name,
      figure: inWords(ours),
      peer: `heartwire before: ${inWords(former)}`,
      ratio: (cpu / median(cpuOfAll(former))).toFixed(2),
    };
  } finally {
    for (const fleet of fleets) await fleet.close();
    subscribers.disconnect();
  }
}

/** A fleet that does nothing, which costs nearly nothing. */
export const bench: Bench = {
  about: `what ${DEVICES} devices that only beat cost the real program with ${SUBSCRIBERS} subscribers, and a bare server that answers them; CPU is the scheduler's count, ${placement()}: median (least to most) of ${ROUNDS} rounds`,
  run,
};
