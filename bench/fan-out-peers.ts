import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { type Bench, type BenchOptions, type BenchRow, median } from './support/bench.ts';
import { mosquitto, pythonWebsockets } from './support/fan-out-processes.ts';
import { overLines, overSse, overWebSocket, rawNet, socketIo, wsLoop } from './support/fan-out-servers.ts';
import type { Way } from './support/fan-out-way.ts';

const PER_TICK = [1, 10, 100] as const;
const SUBSCRIBERS = { usual: [100], large: [100, 1_000, 5_000] } as const;
const ROUNDS = 5;
/** About as many in every round, so that one takes neither too long nor too short to be measured. */
const DELIVERIES_PER_ROUND = 20_000;
const GROUPS = 10;
/** Of the CPU that the loop around `ws.send` takes, at most so much. */
const MOST: Readonly<Record<number, number>> = { 1: 0.75, 10: 0.12, 100: 0.03 };

const PEERS: ReadonlyArray<readonly [name: string, start: (count: number) => Promise<Way | undefined>]> = [
  ['ws loop', wsLoop],
  ['raw net', rawNet],
  ['Socket.IO', socketIo],
  ['mosquitto', mosquitto],
  ['Python websockets', pythonWebsockets],
  ['heartwire, JSON lines', overLines],
  ['heartwire, server-sent events', overSse],
];

/** The two in turn, so that whatever else the machine does hits both alike; medians in us of CPU per delivery. */
async function compare(own: Way, peer: Way, subscribers: number, perTick: number): Promise<[number, number]> {
  const ticks = Math.max(1, Math.round(DELIVERIES_PER_ROUND / subscribers / perTick));
  const messages = ticks * perTick;
  const deliveries = messages * subscribers;
  const figures: [number[], number[]] = [[], []];
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, way] of [own, peer].entries()) {
      const us = (await way.round(messages, perTick, deliveries)) / deliveries;
      if (round >= 0) figures[index]?.push(us);
    }
  }
  return [median(figures[0]), median(figures[1])];
}

function row(name: string, own: number, peer: string, theirs: number, most?: number): BenchRow {
  return {
    name,
    figure: `${own.toFixed(2)} us CPU a delivery`,
    peer: `${peer} ${theirs.toFixed(2)} us`,
    ratio: (own / theirs).toFixed(3),
    ...(most === undefined ? {} : { target: { text: `<= ${most}`, met: own <= most * theirs } }),
  };
}

async function* againstPeers(subscribers: number): AsyncGenerator<BenchRow> {
  const own = await overWebSocket(subscribers);
  try {
    for (const [name, start] of PEERS) {
      const peer = await start(subscribers);
      if (peer === undefined) {
        yield {
          name: `${subscribers} subscribers`,
          figure: '-',
          peer: `${name} is not installed`,
          ratio: '-',
        };
        continue;
      }
      try {
        for (const perTick of PER_TICK) {
          const [ours, theirs] = await compare(own, peer, subscribers, perTick);
          const most = name === 'ws loop' ? MOST[perTick] : undefined;
          yield row(`${subscribers} subscribers, ${perTick} per tick`, ours, peer.name, theirs, most);
        }
      } finally {
        await peer.close();
      }
    }
  } finally {
    await own.close();
  }
}

/** Every subscriber hears one topic of ten. */
async function* withInterests(subscribers: number): AsyncGenerator<BenchRow> {
  const [own, peer] = [await overWebSocket(subscribers, GROUPS), await wsLoop(subscribers, GROUPS)];
  try {
    for (const perTick of PER_TICK) {
      // Each message concerns a tenth of them, so there are ten times as many messages.
      const [ours, theirs] = await compare(own, peer, subscribers / GROUPS, perTick * GROUPS);
      yield row(
        `${subscribers} of ${GROUPS} interests, ${perTick} each per tick`,
        ours,
        peer.name,
        theirs,
        MOST[perTick],
      );
    }
  } finally {
    await own.close();
    await peer.close();
  }
}

/** Calls that write, of this process so far. */
function writeCalls(): number {
  return Number(/^syscw: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);
}

async function* writesPerFlush(subscribers: number): AsyncGenerator<BenchRow> {
  if (platform() !== 'linux') return;
  const own = await overWebSocket(subscribers);
  try {
    const [flushes, perTick] = [200, 10];
    await own.round(perTick, perTick, perTick * subscribers);
    const before = writeCalls();
    await own.round(flushes * perTick, perTick, flushes * perTick * subscribers);
    const calls = (writeCalls() - before) / (flushes * subscribers);
    yield {
      name: `write calls, ${subscribers} subscribers, ${perTick} per tick`,
      figure: `${calls.toFixed(4)} per subscriber and flush`,
      peer: '-',
      ratio: '-',
      target: { text: '<= 1.01', met: calls <= 1.01 },
    };
  } finally {
    await own.close();
  }
}

async function* run({ large }: BenchOptions): AsyncGenerator<BenchRow> {
  yield* writesPerFlush(100);
  for (const subscribers of large ? SUBSCRIBERS.large : SUBSCRIBERS.usual) {
    yield* againstPeers(subscribers);
    yield* withInterests(subscribers);
  }
}

/** What it costs to tell many subscribers the same, beside what others do. */
export const bench: Bench = {
  about:
    'CPU of the server per message and subscriber beside its peers; --large for 1,000 and 5,000 subscribers',
  run,
};
