import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Bench, type BenchOptions, type BenchRow, median } from './support/bench.ts';
import type { StormOrder, StormReport } from './support/storm-peers.ts';
import type { StormServerReport } from './support/storm-server.ts';

const SUBSCRIBERS = 400;
const DEVICES = { usual: 600, large: 1_000 } as const;
const ROUNDS = 3;
const PATIENCE_MS = 60_000;
/** In the churn a device has enough after this. */
const CHURN_PATIENCE_MS = 3_000;
const CHURN_MS = 10_000;
/** Of those that an idle bridge lets in meanwhile. */
const LEAST_SHARE = 0.25;
/** Between two storms: what the last one left is over. */
const REST_MS = 1_500;
const MOST_TIMES = 4;
const CALM_MS = 4_000;
/** How much longer a message may take to a subscriber while devices storm in. */
const MOST_TIMES_WITNESS = 3;

const child = (name: string): ChildProcess =>
  fork(fileURLToPath(import.meta.url).replace(/storm(\.[jt]s)$/, `support/${name}$1`));

const p99 = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Number.POSITIVE_INFINITY;

/** A bridge, its subscribers and its devices, each in a process of its own. */
class Way {
  readonly #server = child('storm-server');
  readonly #subscribers = child('storm-peers');
  readonly #devices = child('storm-peers');
  readonly #witness = child('storm-peers');
  #devicePort = 0;

  static async open(subscribers: number): Promise<Way> {
    const way = new Way();
    // It says nothing else.
    const [{ port, devicePort }] = (await once(way.#server, 'message')) as [StormServerReport];
    way.#devicePort = devicePort;
    await ask(way.#subscribers, { do: 'subscribe', port, count: subscribers });
    await ask(way.#witness, { do: 'watch', port });
    return way;
  }

  async storm(count: number): Promise<StormReport> {
    const report = await ask(this.#devices, {
      do: 'storm',
      port: this.#devicePort,
      count,
      patienceMs: PATIENCE_MS,
    });
    return report;
  }

  /** How long messages took to one subscriber since the last time that it was asked: the slowest hundredth of them. */
  async delay(): Promise<number> {
    return p99((await ask(this.#witness, { do: 'delays' })).tookMs);
  }

  churn(count: number): Promise<StormReport> {
    const patienceMs = CHURN_PATIENCE_MS;
    return ask(this.#devices, { do: 'churn', port: this.#devicePort, count, patienceMs, ms: CHURN_MS });
  }

  close(): void {
    for (const each of [this.#devices, this.#subscribers, this.#witness, this.#server]) each.disconnect();
  }
}

async function ask(peer: ChildProcess, order: StormOrder): Promise<StormReport> {
  const done = once(peer, 'message');
  peer.send(order);
  return (await done)[0] as StormReport;
}

async function* run({ large }: BenchOptions): AsyncGenerator<BenchRow> {
  const devices = large ? DEVICES.large : DEVICES.usual;
  const idle = await Way.open(0);
  const busy = await Way.open(SUBSCRIBERS);
  try {
    const [calm, beside]: [number[], number[]] = [[], []];
    const [quiet, disturbed]: [number[], number[]] = [[], []];
    let lost = 0;
    for (let round = 0; round < ROUNDS; round++) {
      calm.push(p99((await idle.storm(devices)).tookMs));
      await sleep(REST_MS);
      await busy.delay();
      await sleep(CALM_MS);
      quiet.push(await busy.delay());
      const report = await busy.storm(devices);
      disturbed.push(await busy.delay());
      await sleep(REST_MS);
      beside.push(p99(report.tookMs));
      lost += report.lost;
    }
    const [without, withThem] = [median(calm), median(beside)];
    yield {
      name: `${devices} devices dial in at once`,
      figure: `p99 of registering ${withThem.toFixed(0)} ms beside ${SUBSCRIBERS} busy subscribers, ${lost} lost`,
      peer: `idle bridge ${without.toFixed(0)} ms`,
      ratio: (withThem / without).toFixed(2),
      target: {
        text: `<= ${MOST_TIMES} times, none lost`,
        met: withThem <= MOST_TIMES * without && lost === 0,
      },
    };
    const [usual, during] = [median(quiet), median(disturbed)];
    yield {
      name: 'a subscriber meanwhile',
      figure: `p99 of a message ${during.toFixed(0)} ms`,
      peer: `without a storm ${usual.toFixed(0)} ms`,
      ratio: (during / usual).toFixed(2),
      target: { text: `<= ${MOST_TIMES_WITNESS} times`, met: during <= MOST_TIMES_WITNESS * usual },
    };
    const alone = await idle.churn(devices);
    const among = await busy.churn(devices);
    yield {
      name: `${devices} devices come and go for ${CHURN_MS / 1_000} s`,
      figure: `${among.tookMs.length} let in, p99 ${p99(among.tookMs).toFixed(0)} ms, ${among.lost} gave up after ${CHURN_PATIENCE_MS / 1_000} s`,
      peer: `idle bridge ${alone.tookMs.length} let in, p99 ${p99(alone.tookMs).toFixed(0)} ms, ${alone.lost} gave up`,
      ratio: (among.tookMs.length / alone.tookMs.length).toFixed(2),
      target: {
        text: `>= ${LEAST_SHARE} of an idle bridge`,
        met: among.tookMs.length >= LEAST_SHARE * alone.tookMs.length,
      },
    };
  } finally {
    idle.close();
    busy.close();
  }
}

/** Devices that come back all together, beside subscribers that are told much. */
export const bench: Bench = {
  about: `how long devices that dial in all at once wait until they are registered, on an idle bridge and beside ${SUBSCRIBERS} subscribers that are told of all of them, in turns`,
  run,
};
