import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../src/config/load.ts';
import { Bridge } from '../src/runtime/bridge.ts';
import { systemClock } from '../src/runtime/clock.ts';
import type { DevicesOrder, DevicesReport } from './support/beating-devices.ts';
import { type Bench, type BenchRow, median } from './support/bench.ts';

const DEVICES = 100;
const PER_SECOND = 10_000;
const SLICE_MS = 1_500;
const ROUNDS = 7;

const child = fileURLToPath(
  new URL(`./support/beating-devices${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/** A bridge that takes devices, and where. */
async function startBridge(recordDir: string | undefined): Promise<readonly [Bridge, number]> {
  const { config, problems } = loadConfig(
    'server: { port: 0 }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]',
    'bench.yaml',
  );
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0', recordDir });
  const { listeners } = await bridge.start();
  return [bridge, Number(listeners[0]?.split(':').at(-1))];
}

async function order(devices: ChildProcess, of: DevicesOrder): Promise<number> {
  const answered = once(devices, 'message');
  devices.send(of);
  const [report]: DevicesReport[] = await answered;
  return report?.frames ?? 0;
}

/** Processor time of this process, disk threads included, in ms. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

async function* run(): AsyncGenerator<BenchRow> {
  const dir = await mkdtemp(join(tmpdir(), 'heartwire-bench-'));
  const devices = fork(child);
  const [plain, plainPort] = await startBridge(undefined);
  const [recording, recordingPort] = await startBridge(dir);
  const ports = { without: plainPort, with: recordingPort };
  const perFrame: Record<keyof typeof ports, number[]> = { without: [], with: [] };
  let rate = 0;
  try {
    for (const port of Object.values(ports)) await order(devices, { do: 'connect', port, devices: DEVICES });
    for (let round = -1; round < ROUNDS; round++) {
      for (const way of ['without', 'with'] as const) {
        const [before, began] = [cpuMs(), performance.now()];
        const frames = await order(devices, {
          do: 'beat',
          port: ports[way],
          perSecond: PER_SECOND,
          ms: SLICE_MS,
        });
        // What is still to be written belongs to the slice.
        await pause(600);
        if (round < 0) continue;
        perFrame[way].push((cpuMs() - before) / frames);
        rate = (frames / (performance.now() - began - 600)) * 1_000;
      }
    }
    const { status, bytes } = Object(recording.store.document('bridge/status')?.recording);
    if (status !== 'recording' || !(bytes > 1_000_000))
      throw new Error(`nothing was recorded: ${status}, ${bytes}`);
  } finally {
    devices.kill();
    await plain[Symbol.asyncDispose]();
    await recording[Symbol.asyncDispose]();
    await rm(dir, { recursive: true });
  }
  const [without, withIt] = [median(perFrame.without), median(perFrame.with)];
  const share = (ms: number) => `${((ms * PER_SECOND) / 10).toFixed(1)} % of a core`;
  yield {
    name: `${rate.toFixed(0)} frames/s from ${DEVICES} devices, each answered; both directions recorded`,
    figure: `${(withIt * 1_000).toFixed(1)} us CPU a frame, ${share(withIt)} at ${PER_SECOND}/s`,
    peer: `not recorded: ${(without * 1_000).toFixed(1)} us, ${share(without)}`,
    ratio: `+${share(withIt - without)}, ${((withIt / without - 1) * 100).toFixed(1)} % more`,
    target: { text: '<= 10 % more', met: withIt <= without * 1.1 },
  };
}

/** What recording costs the bridge. */
export const bench: Bench = {
  about: `a bridge with and without recording, slices of ${SLICE_MS} ms in turn, medians of ${ROUNDS}`,
  run,
};
