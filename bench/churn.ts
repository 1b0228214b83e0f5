import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bench, BenchOptions, BenchRow } from './support/bench.ts';
import type { ChurnPorts, ChurnSample } from './support/churn-bridge.ts';
import { PEER_KINDS, type PeerCounts, type PeerOrder } from './support/churn-sockets.ts';
import { trend } from './support/trend.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SAMPLES = 240;
const LEAST_INTERVAL_MS = 2_000;
/** As large as an embedded machine would allow it. */
const HEAP_MIB = 96;
/** A slope that drowns in the noise of a busy machine shows in the means of two quarters all the same. */
const MOST_GROWN = 1.05;

const WATCHED = {
  rssMiB: { name: 'memory of the process', unit: 'MiB' },
  heapMiB: { name: 'heap in use', unit: 'MiB' },
  externalMiB: { name: 'beside the heap', unit: 'MiB' },
  descriptors: { name: 'descriptors', unit: '' },
  handles: { name: 'handles of the loop', unit: '' },
} as const satisfies Partial<Record<keyof ChurnSample, object>>;

function child(name: string, args: readonly string[], execArgv: readonly string[] = []): ChildProcess {
  const path = fileURLToPath(import.meta.url).replace(/churn(\.[jt]s)$/, `support/${name}$1`);
  return fork(path, args, { execArgv: [...process.execArgv, ...execArgv] });
}

/** What a child says next; it says nothing but what it is asked. */
async function said<T>(process: ChildProcess): Promise<T> {
  const over = new AbortController();
  const ended = async (): Promise<never> => {
    const [code, signal] = await once(process, 'exit', over);
    throw new Error(`a child process of the bench ended with ${code ?? signal}`);
  };
  try {
    const [message] = (await Promise.race([once(process, 'message', over), ended()])) as [T];
    return message;
  } finally {
    over.abort();
  }
}

async function* run({ minutes = 1 }: BenchOptions): AsyncGenerator<BenchRow> {
  const bridge = child('churn-bridge', [], ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`]);
  const peers = PEER_KINDS.map((kind) => ({ kind, process: child('churn-peers', [kind]) }));
  try {
    const ports = await said<ChurnPorts>(bridge);
    for (const { process } of peers) process.send({ do: 'start', ports } satisfies PeerOrder);
    const lastMs = minutes * MINUTE;
    const beganAt = performance.now();
    const samples: (ChurnSample & { readonly atMs: number })[] = [];
    for (let atMs = 0; atMs < lastMs; ) {
      await sleep(Math.max(lastMs / SAMPLES, LEAST_INTERVAL_MS));
      const sampled = said<ChurnSample>(bridge);
      bridge.send('sample');
      atMs = performance.now() - beganAt;
      const sample = { atMs, ...(await sampled) };
      samples.push(sample);
      process.stderr.write(`${lineOf(sample)}\n`);
    }
    for (const { kind, process } of peers) {
      const counted = said<PeerCounts>(process);
      process.send({ do: 'count' } satisfies PeerOrder);
      yield peerRow(kind, await counted);
    }
    const half = samples.filter(({ atMs }) => atMs >= lastMs / 2);
    for (const key of ['rssMiB', 'heapMiB', 'externalMiB', 'descriptors', 'handles'] as const) {
      yield trendRow(key, half);
    }
  } finally {
    for (const { process } of peers) process.disconnect();
    const gone = once(bridge, 'exit');
    if (bridge.connected) bridge.disconnect();
    if (bridge.exitCode === null) await gone;
  }
}

function lineOf({ atMs, ...sample }: ChurnSample & { readonly atMs: number }): string {
  const figures = Object.entries(sample).map(([name, value]) => `${name} ${Number(value).toFixed(1)}`);
  return `${(atMs / 1_000).toFixed(0)} s: ${figures.join(', ')}`;
}

function peerRow(kind: string, { opened, served, open }: PeerCounts): BenchRow {
  return {
    name: `sessions of ${kind}`,
    figure: `${opened} opened, ${open} open at the end`,
    peer: '-',
    ratio: '-',
    ...(kind === 'attackers'
      ? {}
      : { target: { text: `${served} served, some at least`, met: served >= 0.1 * opened } }),
  };
}

function trendRow(
  key: keyof typeof WATCHED,
  half: readonly (ChurnSample & { readonly atMs: number })[],
): BenchRow {
  const { name, unit } = WATCHED[key];
  const points = half.map((sample) => ({ at: sample.atMs / HOUR, value: sample[key] }));
  const { slope, noise, mean } = trend(points);
  const values = points.map(({ value }) => value);
  const middle = Math.floor(points.length / 2);
  const [before, last] = [trend(points.slice(0, middle)).mean, trend(points.slice(middle)).mean];
  const grown = last / before;
  return {
    name,
    figure: `mean ${mean.toFixed(1)} ${unit}, ${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)}`,
    peer: `slope ${slope.toFixed(1)}, noise ${noise.toFixed(1)} ${unit}/h`,
    ratio: `${grown.toFixed(3)} of the quarter before`,
    target: {
      text: `slope within noise, <= ${MOST_GROWN}`,
      met: slope <= noise && grown <= MOST_GROWN,
    },
  };
}

/** Whether what a bridge holds ends, however many come and go. */
export const bench: Bench = {
  about:
    'what a bridge holds while devices, subscribers and attackers come and go (--minutes=60), over the last half',
  run,
};
