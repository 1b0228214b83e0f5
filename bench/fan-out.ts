import { type Bench, type BenchOptions, type BenchRow, median, spread } from './support/bench.ts';
import { CSubscribers } from './support/c-subscribers.ts';
import { cpuOf, placement } from './support/processes.ts';
import { cRival, heartwire, installed, nodeRival, type Rival } from './support/rivals.ts';

const SUBSCRIBERS = { usual: [100, 1_000], large: [100, 1_000, 5_000] } as const;
const PER_TICK = [1, 10] as const;
const ROUNDS = 5;
/** About as many in every round, so that one takes neither too long nor too short to be measured. */
const DELIVERIES_PER_ROUND = { 1: 40_000, 10: 200_000 } as const;
/** Of the CPU that each peer takes, at most so much; the raw loops are there to compare. */
const MOST = {
  ws: { 1: 0.58, 10: 0.076 },
  c: { 1: 1.1, 10: 1.1 },
  alike: { 1: 1, 10: 1 },
} as const;

interface Entrant {
  readonly rival: Rival;
  readonly group: number;
  readonly most?: Readonly<Record<(typeof PER_TICK)[number], number>> | undefined;
}

const PEERS: ReadonlyArray<readonly [start: () => Promise<Rival | undefined>, most: Entrant['most']]> = [
  [() => nodeRival('ws'), MOST.ws],
  [() => nodeRival('net'), undefined],
  [() => nodeRival('uws'), MOST.alike],
  [cRival, MOST.c],
];

async function enter(
  clients: CSubscribers,
  rival: Rival,
  count: number,
  most?: Entrant['most'],
): Promise<Entrant> {
  const group = await clients.connect({ ...rival.subscribers, count });
  await clients.device(group, rival.devicePort, rival.greeting, rival.frame);
  return { rival, group, most };
}

/** CPU of the server per delivery in us, for each in turn, so that whatever else the machine does hits all alike. */
async function measure(
  clients: CSubscribers,
  entrants: readonly Entrant[],
  count: number,
  perTick: (typeof PER_TICK)[number],
): Promise<ReadonlyArray<readonly number[]>> {
  const ticks = Math.ceil(DELIVERIES_PER_ROUND[perTick] / count / perTick);
  const figures: number[][] = entrants.map(() => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, { rival, group }] of entrants.entries()) {
      const before = cpuOf(rival.pid);
      await clients.round([group], ticks, perTick);
      if (round >= 0) figures[index]?.push((cpuOf(rival.pid) - before) / ticks / perTick / count);
    }
  }
  return figures;
}

async function* among(
  clients: CSubscribers,
  count: number,
  before: string | undefined,
): AsyncGenerator<BenchRow> {
  const rivals: Rival[] = [];
  const started = (rival: Rival): Rival => {
    rivals.push(rival);
    return rival;
  };
  try {
    const own = await enter(clients, started(await heartwire()), count);
    const peers: Entrant[] = [];
    if (before !== undefined)
      peers.push(await enter(clients, started(await heartwire(before)), count, MOST.alike));
    for (const [start, most] of PEERS) {
      const rival = await start();
      if (rival !== undefined) peers.push(await enter(clients, started(rival), count, most));
    }
    for (const perTick of PER_TICK) {
      const [ours = [], ...theirs] = await measure(clients, [own, ...peers], count, perTick);
      for (const [index, { rival, most }] of peers.entries()) {
        const other = theirs[index] ?? [];
        const ratios = ours.map((each, round) => each / (other[round] ?? Number.NaN));
        const target = most?.[perTick];
        yield {
          name: `${count} subscribers, ${perTick} per tick`,
          figure: `${spread(ours, 3)} us CPU a delivery`,
          peer: `${rival.name}: ${spread(other, 3)} us`,
          ratio: spread(ratios, 3),
          ...(target === undefined
            ? {}
            : { target: { text: `<= ${target}`, met: median(ratios) <= target } }),
        };
      }
    }
  } finally {
    for (const rival of rivals) await rival.close();
  }
}

const missing = (why: string): BenchRow => ({ name: 'skipped', figure: '-', peer: why, ratio: '-' });

async function* run({ large, before }: BenchOptions): AsyncGenerator<BenchRow> {
  if (!installed('uWebSockets.js'))
    yield missing('uWebSockets.js is not installed: npm has no package of this name');
  for (const count of large ? SUBSCRIBERS.large : SUBSCRIBERS.usual) {
    const clients = CSubscribers.start();
    if (typeof clients === 'string') {
      yield missing(clients);
      return;
    }
    try {
      yield* among(clients, count, before);
    } finally {
      await clients.close();
    }
  }
}

/** What it costs to tell many subscribers what a device says. */
export const bench: Bench = {
  about: `CPU of the real program (a device, declared messages, the feed) per message and subscriber, beside servers that pass on the same text; subscribers in C, by the scheduler's count, ${placement()}, in alternating rounds: median (least to most)`,
  run,
};
