import { type Bench, type BenchOptions, type BenchRow, median, spread } from './support/bench.ts';
import { CSubscribers } from './support/c-subscribers.ts';
import { cpuByThread } from './support/processes.ts';
import { nodeRival, programRival, type Rival, startProgram } from './support/rivals.ts';

const SUBSCRIBERS = { usual: [1_000], large: [1_000, 5_000] } as const;
const PER_TICK = [1, 10] as const;
const ROUNDS = 7;
const DELIVERIES_PER_ROUND = { 1: 30_000, 10: 100_000 } as const;
/** Of the CPU of a loop around `ws.send`, all threads together. */
const MOST_OF_WS = { 1: 0.56, 10: 0.07 } as const;
/** How much more two threads carry than one, by the CPU of the busier one. */
const LEAST_GAIN = 1.7;

/** Keys of `server` for each way to write; the first is what the others are compared with. */
const WAYS = [', native: false', '', ', workers: 1', ', workers: 2'] as const;

interface Entrant {
  readonly rival: Rival;
  readonly group: number;
  /** us of CPU per delivery, of all threads and of the busiest one; an entry for each round. */
  readonly all: number[];
  readonly busiest: number[];
}

async function enter(clients: CSubscribers, rival: Rival, count: number): Promise<Entrant> {
  const group = await clients.connect({ ...rival.subscribers, count });
  await clients.device(group, rival.devicePort, rival.greeting, rival.frame);
  return { rival, group, all: [], busiest: [] };
}

async function round(clients: CSubscribers, of: Entrant, ticks: number, perTick: number, count: number) {
  const before = cpuByThread(of.rival.pid);
  await clients.round([of.group], ticks, perTick);
  const each = [...cpuByThread(of.rival.pid)].map(([thread, us]) => us - (before.get(thread) ?? 0));
  const deliveries = ticks * perTick * count;
  return {
    all: each.reduce((sum, us) => sum + us, 0) / deliveries,
    busiest: Math.max(...each) / deliveries,
  };
}

const ratios = (some: readonly number[], others: readonly number[]): number[] =>
  some.map((each, index) => each / (others[index] ?? Number.NaN));

function* rows(ws: Entrant, ways: readonly Entrant[], count: number, perTick: 1 | 10): Generator<BenchRow> {
  const [, native] = ways;
  for (const way of ways) {
    const name = `${count} subscribers, ${perTick} per tick`;
    const ofWs = ratios(way.all, ws.all);
    yield {
      name,
      figure: `${way.rival.name}: ${spread(way.all, 3)} us CPU a delivery`,
      peer: `${ws.rival.name}: ${spread(ws.all, 3)} us`,
      ratio: spread(ofWs, 3),
      ...(way !== native
        ? {}
        : { target: { text: `<= ${MOST_OF_WS[perTick]}`, met: median(ofWs) <= MOST_OF_WS[perTick] } }),
    };
    if (native === undefined || !way.rival.name.includes('workers')) continue;
    const gain = ratios(native.busiest, way.busiest);
    yield {
      name: `${name}: busiest thread`,
      figure: `${way.rival.name}: ${spread(way.busiest, 3)} us CPU a delivery`,
      peer: `${native.rival.name}: ${spread(native.busiest, 3)} us`,
      ratio: `carries ${spread(gain, 2)} times as much`,
      ...(way === ways.at(-1)
        ? { target: { text: `>= ${LEAST_GAIN}`, met: median(gain) >= LEAST_GAIN } }
        : {}),
    };
  }
}

async function* among(clients: CSubscribers, count: number): AsyncGenerator<BenchRow> {
  const rivals: Rival[] = [];
  const started = (rival: Rival): Rival => {
    rivals.push(rival);
    return rival;
  };
  try {
    const peer = await nodeRival('ws', 'any');
    if (peer === undefined) return;
    const ws = await enter(clients, started(peer), count);
    const ways: Entrant[] = [];
    for (const server of WAYS) {
      const program = await startProgram(undefined, { server, processor: 'any' });
      ways.push(await enter(clients, started(programRival(`heartwire${server}`, program)), count));
    }
    for (const perTick of PER_TICK) {
      const ticks = Math.ceil(DELIVERIES_PER_ROUND[perTick] / count / perTick);
      for (let at = -1; at < ROUNDS; at++) {
        for (const each of [ws, ...ways]) {
          const { all, busiest } = await round(clients, each, ticks, perTick, count);
          each.all[Math.max(at, 0)] = all;
          each.busiest[Math.max(at, 0)] = busiest;
        }
      }
      yield* rows(ws, ways, count, perTick);
    }
  } finally {
    for (const rival of rivals) await rival.close();
  }
}

async function* run({ large }: BenchOptions): AsyncGenerator<BenchRow> {
  for (const count of large ? SUBSCRIBERS.large : SUBSCRIBERS.usual) {
    const clients = CSubscribers.start();
    if (typeof clients === 'string') {
      yield { name: 'skipped', figure: '-', peer: clients, ratio: '-' };
      return;
    }
    try {
      yield* among(clients, count);
    } finally {
      await clients.close();
    }
  }
}

/** What each way to write to subscribers costs. */
export const bench: Bench = {
  about:
    'CPU of the real program per message and subscriber for each way to write: each socket by itself, the native part, threads; the busiest thread says how much the program carries; subscribers in C, the servers on all processors, in alternating rounds: median (least to most)',
  run,
};
