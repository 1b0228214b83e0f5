import { spawnSync } from 'node:child_process';
import { type Bench, type BenchOptions, type BenchRow, median, spread } from './support/bench.ts';
import { CSubscribers, type Delays } from './support/c-subscribers.ts';
import { InstanceProcesses, type SharedFeedProcesses } from './support/instance-processes.ts';
import { cpuOf, placement } from './support/processes.ts';
import type { Rival } from './support/rivals.ts';

const SUBSCRIBERS = 100;
const ROUNDS = 7;
const PER_TICK = 10;
/** Deliveries of one round to the subscribers of one instance. */
const DELIVERIES = { usual: 50_000, large: 1_000_000 } as const;
const DELAY_FRAMES = 200;
const MOST_CPU = 1.2;
const LEAST_GAIN = 1.7;
const MOST_ADDED_MS = 3;

/** Subscribers at one instance, and the device that speaks to them, at the same one or at another. */
interface Way {
  readonly name: string;
  readonly group: number;
  /** A second group that the same device reaches. */
  readonly second?: number | undefined;
  /** Whose CPU counts. */
  readonly pids: readonly number[];
}

async function open(
  clients: CSubscribers,
  rival: Rival,
  at: readonly number[],
  count = SUBSCRIBERS,
): Promise<readonly number[]> {
  const groups: number[] = [];
  for (const port of at) groups.push(await clients.connect({ ...rival.subscribers, port, count }));
  const [first = 0] = groups;
  await clients.device(first, rival.devicePort, rival.greeting, rival.frame);
  return groups;
}

/** CPU of each process in us, for one round. */
async function round(clients: CSubscribers, way: Way, ticks: number): Promise<readonly number[]> {
  const before = way.pids.map(cpuOf);
  await clients.round([way.group], ticks, PER_TICK);
  if (way.second !== undefined) await clients.received(way.second, ticks * PER_TICK * SUBSCRIBERS);
  return way.pids.map((pid, at) => cpuOf(pid) - (before[at] ?? 0));
}

function* costs(figures: ReadonlyMap<string, ReadonlyArray<readonly number[]>>, deliveries: number) {
  const of = (name: string, at: number): number[] =>
    (figures.get(name) ?? []).map((each) => (each[at] ?? Number.NaN) / deliveries);
  const single = of('single', 0);
  const gateway = of('gateway', 0);
  const ratios = gateway.map((each, index) => each / (single[index] ?? Number.NaN));
  yield {
    name: `a gateway with ${SUBSCRIBERS} subscribers`,
    figure: `${spread(gateway, 3)} us CPU a delivery`,
    peer: `one instance alone: ${spread(single, 3)} us`,
    ratio: spread(ratios, 3),
    target: { text: `<= ${MOST_CPU}`, met: median(ratios) <= MOST_CPU },
  };
  const owner = of('gateway', 1).map((each) => each * SUBSCRIBERS);
  const server = of('gateway', 2).map((each) => each * SUBSCRIBERS);
  yield {
    name: 'the owner of the device, and the server',
    figure: `${spread(owner, 1)} us CPU an update`,
    peer: `the server: ${spread(server, 1)} us`,
    ratio: '-',
  };
  const reader = of('one subscriber', 0).map((each) => each * SUBSCRIBERS);
  const more = of('two gateways', 3).map((each, index) => each * SUBSCRIBERS - (server[index] ?? Number.NaN));
  yield {
    name: 'a gateway with one subscriber, and the server for one gateway more',
    figure: `${spread(reader, 1)} us CPU an update`,
    peer: `the server: ${spread(more, 1)} us`,
    ratio: '-',
  };
  // Each process could have a core of its own: the busiest one says how much all of them carry.
  const busiest = (figures.get('two gateways') ?? []).map((each) => Math.max(...each) / (2 * deliveries));
  const one = (figures.get('gateway') ?? []).map((each) => Math.max(...each) / deliveries);
  const gains = busiest.map((each, index) => (one[index] ?? Number.NaN) / each);
  yield {
    name: 'two gateways, each with as many',
    figure: `${spread(busiest, 3)} us CPU of the busiest process a delivery`,
    peer: `one gateway: ${spread(one, 3)} us`,
    ratio: spread(gains, 2),
    target: { text: `>= ${LEAST_GAIN}`, met: median(gains) >= LEAST_GAIN },
  };
}

/** Another build, without `backplane:` as this one. */
function beside(
  figures: ReadonlyMap<string, ReadonlyArray<readonly number[]>>,
  deliveries: number,
): BenchRow {
  const of = (name: string): number[] =>
    (figures.get(name) ?? []).map(([each = Number.NaN]) => each / deliveries);
  const [own, other] = [of('single'), of('before')];
  return {
    name: 'one instance alone, without `backplane:`',
    figure: `${spread(own, 3)} us CPU a delivery`,
    peer: `heartwire before: ${spread(other, 3)} us`,
    ratio: spread(
      own.map((each, index) => each / (other[index] ?? Number.NaN)),
      3,
    ),
  };
}

function added(delays: ReadonlyArray<ReadonlyMap<number, Delays>>, single: Way, gateway: Way): BenchRow {
  const of = ({ group }: Way): number[] => delays.map((each) => (each.get(group)?.p50Us ?? NaN) / 1_000);
  const differences = of(gateway).map((each, index) => each - (of(single)[index] ?? Number.NaN));
  return {
    name: 'one update, p50',
    figure: `${spread(of(gateway), 2)} ms`,
    peer: `one instance alone: ${spread(of(single), 2)} ms`,
    ratio: `+ ${spread(differences, 2)} ms`,
    target: { text: `<= + ${MOST_ADDED_MS} ms`, met: median(differences) <= MOST_ADDED_MS },
  };
}

async function* measured(
  clients: CSubscribers,
  processes: InstanceProcesses,
  deliveries: number,
  before: string | undefined,
): AsyncGenerator<BenchRow> {
  const single = await processes.alone();
  const one = await processes.shared(1);
  const two = await processes.shared(2);
  const portsOf = (each: SharedFeedProcesses): number[] => each.gateways.map(({ port }) => port);
  const pidsOf = ({ gateways, owner, serverPid }: SharedFeedProcesses): number[] => [
    ...gateways.map(({ pid }) => pid),
    owner.pid,
    serverPid,
  ];
  const [alone = 0] = await open(clients, single, [single.subscribers.port]);
  const [first = 0] = await open(clients, one.owner, portsOf(one));
  const few = await processes.shared(1);
  const [lone = 0] = await open(clients, few.owner, portsOf(few), 1);
  const [left = 0, right] = await open(clients, two.owner, portsOf(two));
  const ways: [Way, Way, ...Way[]] = [
    { name: 'single', group: alone, pids: [single.pid] },
    { name: 'gateway', group: first, pids: pidsOf(one) },
    { name: 'one subscriber', group: lone, pids: pidsOf(few) },
    { name: 'two gateways', group: left, second: right, pids: pidsOf(two) },
  ];
  const former = before === undefined ? undefined : await processes.alone(before);
  if (former !== undefined) {
    const [group = 0] = await open(clients, former, [former.subscribers.port]);
    ways.push({ name: 'before', group, pids: [former.pid] });
  }
  const ticks = Math.ceil(deliveries / SUBSCRIBERS / PER_TICK);
  const figures = new Map<string, Array<readonly number[]>>();
  for (let count = -1; count < ROUNDS; count++) {
    for (const way of ways) {
      const cpu = await round(clients, way, count < 0 ? Math.min(ticks, 200) : ticks);
      if (count >= 0) figures.set(way.name, [...(figures.get(way.name) ?? []), cpu]);
    }
  }
  yield* costs(figures, ticks * PER_TICK * SUBSCRIBERS);
  if (former !== undefined) yield beside(figures, ticks * PER_TICK * SUBSCRIBERS);
  const delays: Array<ReadonlyMap<number, Delays>> = [];
  for (let count = 0; count < ROUNDS; count++)
    delays.push(await clients.round([alone, first], DELAY_FRAMES, 1));
  yield added(delays, ways[0], ways[1]);
}

async function* run({ large, before }: BenchOptions): AsyncGenerator<BenchRow> {
  const skipped = (why: string): BenchRow => ({ name: 'skipped', figure: '-', peer: why, ratio: '-' });
  if (spawnSync('redis-server', ['--version']).status !== 0)
    return yield skipped('redis-server is not installed');
  const clients = CSubscribers.start();
  if (typeof clients === 'string') return yield skipped(clients);
  const processes = new InstanceProcesses();
  try {
    yield* measured(clients, processes, large ? DELIVERIES.large : DELIVERIES.usual, before);
  } finally {
    await processes.close();
    await clients.close();
  }
}

/** What it costs that instances share one feed. */
export const bench: Bench = {
  about: `an update of a device from its owner over the server to the subscribers of a gateway, beside one instance alone; CPU by the scheduler's count, ${placement()}, in alternating rounds: median (least to most)`,
  run,
};
