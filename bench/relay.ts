import { type Bench, type BenchOptions, type BenchRow, median, spread } from './support/bench.ts';
import { CSubscribers, type Delays } from './support/c-subscribers.ts';
import { placement } from './support/processes.ts';
import { cRival, heartwire, nodeRival, type Rival } from './support/rivals.ts';

const SUBSCRIBERS = 100;
const ROUNDS = 5;
const FRAMES_PER_ROUND = 100;
/** Code that runs for hours is compiled; so is what is measured. */
const WARM_UP_FRAMES = 2_000;
const WARM_UP_PAUSE_US = 200;
const MOST = 1.15;

const PEERS: ReadonlyArray<readonly [start: () => Promise<Rival | undefined>, most: number | undefined]> = [
  [() => nodeRival('relay'), MOST],
  [() => nodeRival('padded'), undefined],
  [() => nodeRival('ws'), undefined],
  [cRival, undefined],
];

interface Line {
  readonly rival: Rival;
  readonly group: number;
  readonly most?: number | undefined;
}

async function open(clients: CSubscribers, rival: Rival, most?: number): Promise<Line> {
  const group = await clients.connect({ ...rival.subscribers, count: SUBSCRIBERS });
  await clients.device(group, rival.devicePort, rival.greeting, rival.frame);
  return { rival, group, most };
}

async function* among(clients: CSubscribers, lines: readonly Line[]): AsyncGenerator<BenchRow> {
  const groups = lines.map(({ group }) => group);
  await clients.round(groups, WARM_UP_FRAMES, 1, WARM_UP_PAUSE_US);
  const rounds: Array<ReadonlyMap<number, Delays>> = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await clients.round(groups, FRAMES_PER_ROUND, 1));
  const [own, ...peers] = lines;
  if (own === undefined) return;
  for (const { rival, group, most } of peers) {
    for (const of of ['p50Us', 'p99Us'] as const) {
      const figures = (each: number): number[] => rounds.map((round) => round.get(each)?.[of] ?? Number.NaN);
      const [ours, theirs] = [figures(own.group), figures(group)];
      const ratios = ours.map((each, round) => each / (theirs[round] ?? Number.NaN));
      yield {
        name: `one frame in, ${SUBSCRIBERS} subscribers out, ${of.slice(0, 3)}`,
        figure: `${spread(ours, 0)} us`,
        peer: `${rival.name}: ${spread(theirs, 0)} us`,
        ratio: spread(ratios, 2),
        ...(most === undefined || of !== 'p50Us'
          ? {}
          : { target: { text: `<= ${most}`, met: median(ratios) <= most } }),
      };
    }
  }
}

async function* run({ before }: BenchOptions): AsyncGenerator<BenchRow> {
  const clients = CSubscribers.start();
  if (typeof clients === 'string') {
    yield { name: 'skipped', figure: '-', peer: clients, ratio: '-' };
    return;
  }
  const lines: Line[] = [];
  try {
    lines.push(await open(clients, await heartwire()));
    if (before !== undefined) lines.push(await open(clients, await heartwire(before)));
    for (const [start, most] of PEERS) {
      const rival = await start();
      if (rival !== undefined) lines.push(await open(clients, rival, most));
    }
    yield* among(clients, lines);
  } finally {
    for (const { rival } of lines) await rival.close();
    await clients.close();
  }
}

/** How long a frame of a device takes to everybody who listens. */
export const bench: Bench = {
  about: `from the write of a device to the arrival at each of ${SUBSCRIBERS} subscribers: the real program, which decodes a declared message and says it as JSON, beside relays that pass on the bytes as they are or texts as long; device and subscribers in C, ${placement()}, in turn frame by frame: median (least to most) of ${ROUNDS} rounds`,
  run,
};
