import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ByteRing, IN, OUT } from '../src/recording/core/byte-ring.ts';
import { RecordLog } from '../src/recording/core/record-log.ts';
import { RingMemory } from '../src/recording/core/ring-memory.ts';
import type { BridgesReport } from './support/beaten-bridges.ts';
import type { DevicesOrder, DevicesReport } from './support/beating-devices.ts';
import { alternate, type Bench, type BenchRow, median } from './support/bench.ts';

const DEVICES = 100;
const PER_SECOND = 10_000;
/** How long each of the two runs before it is the turn of the other. */
interface Turns {
  readonly ms: number;
  readonly rounds: number;
  /** What is still to be written belongs to the slice: longer than a line waits for the disk. */
  readonly drainMs: number;
}
const RECORDING: Turns = { ms: 1_200, rounds: 20, drainMs: 1_000 };
/** It writes nothing, so its slices are short: what drifts on a busy machine hits two neighbours alike. */
const KEPT: Turns = { ms: 300, rounds: 80, drainMs: 0 };
const WARM_UP_ROUNDS = 4;

const start = (name: string, ...argv: string[]): ChildProcess =>
  fork(
    fileURLToPath(
      new URL(`./support/${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
    ),
    argv,
  );

/** The next message of a child process. */
async function answerOf<Answer>(child: ChildProcess): Promise<Answer> {
  const over = new AbortController();
  const { signal } = over;
  const exited = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`a process of the bench ended with ${code}`);
  });
  // It is not waited for once there is a message.
  exited.catch(() => undefined);
  try {
    const [answer]: Answer[] = await Promise.race([once(child, 'message', { signal }), exited]);
    if (answer === undefined) throw new Error('a process of the bench told nothing');
    return answer;
  } finally {
    over.abort();
  }
}

async function order(devices: ChildProcess, of: DevicesOrder): Promise<number> {
  const answered = answerOf<DevicesReport>(devices);
  devices.send(of);
  return (await answered).frames;
}

async function* run(): AsyncGenerator<BenchRow> {
  const dir = await mkdtemp(join(tmpdir(), 'heartwire-bench-'));
  const devices = start('beating-devices');
  const bridges = start('beaten-bridges', dir);
  const ask = (): Promise<BridgesReport> => {
    const next = answerOf<BridgesReport>(bridges);
    bridges.send('report');
    return next;
  };
  try {
    const { ports } = await answerOf<BridgesReport>(bridges);
    for (const port of Object.values(ports)) await order(devices, { do: 'connect', port, devices: DEVICES });
    /** Processor time of one frame in one slice, in us. */
    const slice = async (port: number, { ms, drainMs }: Turns): Promise<number> => {
      const { collectedCpuMs } = await ask();
      const frames = await order(devices, { do: 'beat', port, perSecond: PER_SECOND, ms });
      if (frames < (PER_SECOND * ms * 0.9) / 1_000)
        throw new Error(`only ${frames} frames in ${ms} ms: the machine is too busy to measure`);
      await pause(drainMs);
      return (((await ask()).cpuMs - collectedCpuMs) / frames) * 1_000;
    };
    const compare = async (way: 'recording' | 'kept', turns: Turns): Promise<readonly Pair[]> => {
      const pairs: Pair[] = [];
      for (let round = -WARM_UP_ROUNDS; round < turns.rounds; round++) {
        const times = { without: 0, recording: 0, kept: 0 };
        // Now this first, now that: what drifts hits both alike.
        const both = ['without', way] as const;
        for (const each of round % 2 === 0 ? both : both.toReversed())
          times[each] = await slice(ports[each], turns);
        if (round >= 0) pairs.push({ without: times.without, with: times[way] });
      }
      return pairs;
    };
    yield row('both directions recorded', await compare('recording', RECORDING), 10);
    const { recordedBytes } = await ask();
    if (!(recordedBytes > 1_000_000)) throw new Error(`nothing was recorded: ${recordedBytes} bytes`);
    const kept = await compare('kept', KEPT);
    yield row('the last 2 minutes kept for incidents', kept, 2);
    yield logRow(median(kept.map(({ without }) => without)));
  } finally {
    devices.kill();
    bridges.kill();
    await rm(dir, { recursive: true, force: true });
  }
}

interface Pair {
  readonly without: number;
  readonly with: number;
}

/** The mean of the middle half: neither a collection of garbage nor a busy neighbour in a few slices decides it. */
function middleMean(values: readonly number[]): number {
  const quarter = Math.floor(values.length / 4);
  const middle = values.toSorted((a, b) => a - b).slice(quarter, values.length - quarter);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

function row(what: string, pairs: readonly Pair[], goal: number): BenchRow {
  const without = median(pairs.map((pair) => pair.without));
  const differences = pairs.map((pair) => pair.with - pair.without);
  const more = middleMean(differences) / without;
  const us = (value: number): string => `${value.toFixed(1)} us`;
  const ofCore = (value: number): string => `${((value * PER_SECOND) / 1e4).toFixed(1)} % of a core`;
  const sorted = differences.toSorted((a, b) => a - b);
  const quartiles = [0.25, 0.75].map((share) => us(sorted[Math.floor(share * sorted.length)] ?? Number.NaN));
  return {
    name: `${PER_SECOND} frames/s from ${DEVICES} devices, each answered; ${what}`,
    figure: `${us(middleMean(differences))} more CPU a frame (quartiles ${quartiles.join(', ')}), ${ofCore(middleMean(differences))}`,
    peer: `neither: ${us(without)}, ${ofCore(without)}`,
    ratio: `${(more * 100).toFixed(1)} % more`,
    target: { text: `<= ${goal} % more`, met: more <= goal / 100 },
  };
}

const FRAMES = 20_000;
/** Other memory that a frame reads in between: more than the second cache of a processor has, far apart. */
const COLD_NUMBERS = 2 ** 20;
const COLD_READS = 200;

/**
 * The log of the black box by itself, beside the frame that was measured: what drifts on a busy machine is many times its
 * cost, and hits this figure little.
 */
function logRow(frameUs: number): BenchRow {
  const limits = { maxBytes: 256 * 1024, keepUs: 150e6 };
  const log = new RecordLog(limits, 48 * 2 ** 20);
  const memory = new RingMemory(16 * 2 ** 20);
  const devices = Array.from({ length: DEVICES }, () => log.join(new ByteRing(memory, limits)));
  const [frame, answer] = [new Uint8Array(12), new Uint8Array(12)];
  const cold = new Float64Array(COLD_NUMBERS);
  let place = 0;
  let sum = 0;
  let us = 0;
  const frames = (keep: boolean): void => {
    for (let each = 0; each < FRAMES; each++) {
      for (let read = 0; read < COLD_READS; read++) {
        sum += cold[place] ?? 0;
        place = (place + 1_033) % COLD_NUMBERS;
      }
      if (!keep) continue;
      us += 1e6 / PER_SECOND;
      const device = devices[each % DEVICES] ?? 0;
      log.push(device, IN, true, 1, us, frame);
      log.push(device, OUT, false, 1, us, answer);
    }
  };
  const times = alternate(60, { without: () => frames(false), kept: () => frames(true) });
  if (!(sum >= 0)) throw new Error('nothing was read');
  const ownUs = ((times.kept - times.without) * 1_000) / FRAMES;
  return {
    name: 'the log of the last bytes by itself, a frame and its answer, with other memory read in between',
    figure: `${ownUs.toFixed(3)} us a frame`,
    peer: `a frame: ${frameUs.toFixed(1)} us`,
    ratio: `${((ownUs / frameUs) * 100).toFixed(1)} %`,
    target: { text: '<= 2 %', met: ownUs / frameUs <= 0.02 },
  };
}

/** What recording and the black box cost the bridge. */
export const bench: Bench = {
  about: `bridges that record, keep the last bytes, and do neither, slices of ${RECORDING.ms} and ${KEPT.ms} ms in turn`,
  run,
};
