import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BridgeReport } from './support/beaten-bridge.ts';
import type { DevicesOrder, DevicesReport } from './support/beating-devices.ts';
import { type Bench, type BenchRow, median } from './support/bench.ts';

const DEVICES = 100;
const PER_SECOND = 10_000;
const SLICE_MS = 2_000;
/** What is still to be written belongs to the slice: longer than a line waits for the disk. */
const DRAIN_MS = 900;
const WARM_UP_ROUNDS = 2;
const ROUNDS = 12;

const child = (name: string): string =>
  fileURLToPath(
    new URL(`./support/${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );

/** A bridge in a process of its own, so that all that recording brings about is its, garbage and threads included. */
class BeatenBridge implements Disposable {
  readonly #process: ChildProcess;
  readonly #first: Promise<BridgeReport>;

  constructor(recordDir?: string) {
    this.#process = fork(child('beaten-bridge'), recordDir === undefined ? [] : [recordDir]);
    this.#first = this.#next();
  }

  async port(): Promise<number> {
    return (await this.#first).port;
  }

  report(): Promise<BridgeReport> {
    const next = this.#next();
    this.#process.send('report');
    return next;
  }

  async #next(): Promise<BridgeReport> {
    const [report]: BridgeReport[] = await once(this.#process, 'message');
    if (report === undefined) throw new Error('the bridge told nothing');
    return report;
  }

  [Symbol.dispose](): void {
    this.#process.kill();
  }
}

async function order(devices: ChildProcess, of: DevicesOrder): Promise<number> {
  const answered = once(devices, 'message');
  devices.send(of);
  const [report]: DevicesReport[] = await answered;
  return report?.frames ?? 0;
}

async function* run(): AsyncGenerator<BenchRow> {
  const dir = await mkdtemp(join(tmpdir(), 'heartwire-bench-'));
  const devices = fork(child('beating-devices'));
  try {
    using plain = new BeatenBridge();
    using recording = new BeatenBridge(dir);
    const ways = { without: plain, with: recording };
    for (const bridge of Object.values(ways))
      await order(devices, { do: 'connect', port: await bridge.port(), devices: DEVICES });
    /** Processor time of one frame in one slice, in ms. */
    const slice = async (bridge: BeatenBridge): Promise<number> => {
      const before = await bridge.report();
      const of = { do: 'beat', port: before.port, perSecond: PER_SECOND, ms: SLICE_MS } as const;
      const frames = await order(devices, of);
      if (frames < (PER_SECOND * SLICE_MS * 0.9) / 1_000)
        throw new Error(`only ${frames} frames in ${SLICE_MS} ms: the machine is too busy to measure`);
      await pause(DRAIN_MS);
      return ((await bridge.report()).cpuMs - before.cpuMs) / frames;
    };
    const perFrame: Record<keyof typeof ways, number[]> = { without: [], with: [] };
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      // Now this first, now that: what drifts hits both alike.
      const turns = round % 2 === 0 ? (['without', 'with'] as const) : (['with', 'without'] as const);
      for (const way of turns) {
        const ms = await slice(ways[way]);
        if (round >= 0) perFrame[way].push(ms);
      }
    }
    const { recordedBytes } = await recording.report();
    if (!(recordedBytes > 1_000_000)) throw new Error(`nothing was recorded: ${recordedBytes} bytes`);
    yield row(perFrame);
  } finally {
    devices.kill();
    await rm(dir, { recursive: true, force: true });
  }
}

/** The value below which a quarter of them lies: what others do on the machine only ever adds. */
function quietQuarter(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? Number.NaN;
}

function row(perFrame: Readonly<Record<'with' | 'without', readonly number[]>>): BenchRow {
  const more = (of: (values: readonly number[]) => number): number =>
    of(perFrame.with) / of(perFrame.without) - 1;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const told = (values: readonly number[]): string => {
    const [us, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((ms) =>
      (ms * 1_000).toFixed(1),
    );
    return `${us} us CPU a frame (${least} to ${most}), ${percent((median(values) * PER_SECOND) / 1_000)} of a core`;
  };
  const [medians, quiet] = [more(median), more(quietQuarter)];
  return {
    name: `${PER_SECOND} frames/s from ${DEVICES} devices, each answered; both directions recorded`,
    figure: told(perFrame.with),
    peer: `not recorded: ${told(perFrame.without)}`,
    ratio: `${percent(medians)} more; in the quieter slices ${percent(quiet)}`,
    target: { text: '<= 10 % more, both', met: Math.max(medians, quiet) <= 0.1 },
  };
}

/** What recording costs the bridge. */
export const bench: Bench = {
  about: `two bridges, one recording, slices of ${SLICE_MS} ms in turn, medians of ${ROUNDS}`,
  run,
};
