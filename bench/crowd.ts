import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type Bench, type BenchOptions, type BenchRow, median } from './support/bench.ts';
import type { CrowdOrder, CrowdReport } from './support/crowd-server.ts';
import { clientFrame, EVENT, Subscribers, SYNCED, upgradeTo } from './support/fan-out-way.ts';

const USUAL = 2_000;
const LARGE = 19_000;
/** Descriptors of the server and of the subscribers that are not subscribers. */
const SPARE_DESCRIPTORS = 500;
const BROADCASTS = 10;
const MOST_MEMORY = 1.2;
const MOST_STALL_MS = 15;

/** As many as the machine lets one process hold. */
function affordable(wanted: number): number {
  if (platform() !== 'linux') return USUAL;
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Math.min(wanted, Number(limit ?? 1_024) - SPARE_DESCRIPTORS);
}

interface Weight {
  /** Bytes per subscriber: held by JavaScript, and of the process. */
  readonly held: number;
  readonly rss: number;
  readonly stallsMs: readonly number[];
}

async function ask(server: ChildProcess, order: CrowdOrder): Promise<Required<CrowdReport>> {
  const answer = once(server, 'message');
  server.send(order);
  // Each order is answered with what it asks for.
  return (await answer)[0] as Required<CrowdReport>;
}

async function weigh(kind: 'heartwire' | 'ws', count: number): Promise<Weight> {
  const own = fileURLToPath(import.meta.url);
  const server = fork(own.replace(/crowd(\.[jt]s)$/, 'support/crowd-server$1'), {
    execArgv: ['--expose-gc'],
  });
  try {
    const { port } = await ask(server, { do: 'start', kind });
    const greeting = JSON.stringify({ type: 'subscribe', topics: ['devices/+/messages'] });
    const order = { port, framing: 'frames', head: upgradeTo('/ws'), counted: EVENT } as const;
    const ready = kind === 'heartwire' ? { ready: SYNCED } : {};
    // The first ones warm up what all share.
    const first = await Subscribers.connect({
      ...order,
      ...ready,
      count: 200,
      greetings: [clientFrame(greeting)],
    });
    const before = await ask(server, { do: 'weigh' });
    const crowd = await Subscribers.connect({
      ...order,
      ...ready,
      count,
      greetings: [clientFrame(greeting)],
    });
    const after = await ask(server, { do: 'weigh' });
    const { stallsMs } = await ask(server, { do: 'broadcast', times: BROADCASTS });
    await crowd.received(BROADCASTS * count);
    first.close();
    crowd.close();
    return {
      held: (after.held - before.held) / count,
      rss: (after.rss - before.rss) / count,
      stallsMs,
    };
  } finally {
    server.disconnect();
  }
}

async function* run({ large }: BenchOptions): AsyncGenerator<BenchRow> {
  const count = affordable(large ? LARGE : USUAL);
  const rounds = large ? 1 : 3;
  const own: Weight[] = [];
  const peer: Weight[] = [];
  for (let round = 0; round < rounds; round++) {
    own.push(await weigh('heartwire', count));
    peer.push(await weigh('ws', count));
  }
  for (const [what, name] of [
    ['held', 'held by JavaScript'],
    ['rss', 'resident'],
  ] as const) {
    const ours = median(own.map((each) => each[what]));
    const theirs = median(peer.map((each) => each[what]));
    yield {
      name: `memory of ${count} subscribers, ${name}`,
      figure: `${(ours / 1024).toFixed(2)} KiB each`,
      peer: `bare ws ${(theirs / 1024).toFixed(2)} KiB`,
      ratio: (ours / theirs).toFixed(3),
      target: { text: `<= ${MOST_MEMORY}`, met: ours <= MOST_MEMORY * theirs },
    };
  }
  const stalls = own.flatMap((each) => each.stallsMs);
  const theirs = peer.flatMap((each) => each.stallsMs);
  yield {
    name: `longest stall of the loop in a broadcast to ${count}, the median and the worst of ${stalls.length}`,
    figure: `${median(stalls).toFixed(1)} ms, ${Math.max(...stalls).toFixed(1)} ms`,
    peer: `ws loop ${median(theirs).toFixed(1)} ms, ${Math.max(...theirs).toFixed(1)} ms`,
    ratio: (median(stalls) / median(theirs)).toFixed(3),
    target: { text: `<= ${MOST_STALL_MS} ms`, met: median(stalls) <= MOST_STALL_MS },
  };
}

/** Very many subscribers in one process: what they weigh, and for how long telling them all holds up the rest. */
export const bench: Bench = {
  about: `${USUAL} subscribers in one process, with --large ${LARGE} or as many as it may have descriptors for; beside bare ws`,
  run,
};
