import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { needsPythonPackages } from '../test/support/needs-python.ts';
import { PROJECT_ROOT } from '../test/support/project-files.ts';
import { PYTHON_ENV } from '../test/support/python-feed.ts';
import { startBridge, type TestBridge } from '../test/support/test-bridge.ts';
import { type Bench, type BenchRow, median, spread } from './support/bench.ts';

const DEVICES = 1_000;
/** In one turn, every so many ms: 10,000 a second. */
const CHANGES = 100;
const EVERY_MS = 10;
const SECONDS = 3;
const ROUNDS = 3;
/** How much later than the last change its program may have all of them. */
const BEHIND_MS = 1_000;
const MOST_US = 100;

interface Round {
  /** CPU of the program for one update, in us. */
  readonly cpuUs: number;
  readonly updates: number;
  readonly published: number;
  /** From the last change to the moment in which the program had it. */
  readonly behindMs: number;
}

/** Changes at 10,000 a second, by the clock: a turn that comes late makes those that it missed. */
async function change({ bridge: { store } }: TestBridge): Promise<number> {
  const link = { status: 'connected', transport: 'tcp', since: 1, attempt: 0 };
  const total = (SECONDS * 1_000 * CHANGES) / EVERY_MS;
  const startedAt = performance.now();
  for (let n = 0; n < total; ) {
    const due = Math.min(total, ((performance.now() - startedAt) * CHANGES) / EVERY_MS);
    for (; n < due; n++) {
      const device = `d${n % DEVICES}`;
      const values = { t: { n, volts: n / 7, mode: 'on' } };
      store.publishState(`devices/${device}/state`, { device, status: 'online', since: 1, link, values });
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  return total;
}

async function follow(python: string, way: 'client' | 'plain', bridge: TestBridge): Promise<Round> {
  const script = `${PROJECT_ROOT}/bench/support/python_updates.py`;
  const program: ChildProcess & { readonly stdout: NodeJS.ReadableStream } = spawn(
    python,
    [script, way, bridge.url],
    { stdio: ['ignore', 'pipe', 'inherit'], env: PYTHON_ENV },
  );
  const lines = createInterface(program.stdout)[Symbol.asyncIterator]();
  await lines.next();
  const published = await change(bridge);
  const { store } = bridge.bridge;
  store.publishState('devices/end/state', { device: 'end', status: 'online' });
  const at = performance.now();
  const { value } = await lines.next();
  const behindMs = performance.now() - at;
  if (program.exitCode === null) await once(program, 'exit');
  store.removeState('devices/end/state');
  const { cpu_seconds: cpuSeconds, updates } = JSON.parse(String(value));
  return { cpuUs: (cpuSeconds * 1e6) / updates, updates, published, behindMs };
}

async function* run(): AsyncGenerator<BenchRow> {
  const python = needsPythonPackages('websockets');
  if (!python.run) return;
  await using bridge = await startBridge('listeners: [{ link: "tcp-listen:127.0.0.1:0" }]');
  const own: Round[] = [];
  const peer: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    own.push(await follow(python.path, 'client', bridge));
    peer.push(await follow(python.path, 'plain', bridge));
  }
  const [ours, theirs] = [own, peer].map((rounds) => rounds.map(({ cpuUs }) => cpuUs));
  if (ours === undefined || theirs === undefined) return;
  yield {
    name: 'Python client, CPU of one update',
    figure: `${spread(ours, 1)} us`,
    peer: `websockets and json: ${spread(theirs, 1)} us`,
    ratio: spread(
      ours.map((each, round) => each / (theirs[round] ?? Number.NaN)),
      2,
    ),
    target: { text: `<= ${MOST_US} us: 10,000 a second in one process`, met: median(ours) <= MOST_US },
  };
  const share = own.map(({ updates, published }) => (updates / (published + 1)) * 100);
  const behind = own.map(({ behindMs }) => behindMs);
  yield {
    name: `Python client, ${(CHANGES * 1_000) / EVERY_MS} updates a second for ${SECONDS} s`,
    figure: `${spread(share, 1)} % came as updates of their own`,
    peer: `the last one ${spread(behind, 0)} ms later`,
    ratio: '-',
    target: { text: `at most ${BEHIND_MS} ms behind`, met: median(behind) <= BEHIND_MS },
  };
}

export const bench: Bench = {
  about: 'What the Python client takes for one update of 10,000 a second, beside websockets and json alone.',
  run,
};
