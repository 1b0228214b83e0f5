// A child process of bench/recording: two bridges that devices dial in to, one of them recording into a folder. In one
// process both run the same compiled code on the same heap, so that they differ in nothing but the recording.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/system/clock.ts';

/** What it tells once at first by itself, and whenever it is asked. */
export interface BridgesReport {
  readonly ports: { readonly without: number; readonly with: number };
  /** Processor time of this process so far, its threads included, in ms. */
  readonly cpuMs: number;
  /**
   * The same after garbage was collected, once this was reported: a slice that is measured from here on pays for its
   * own garbage, and not for what lay about before.
   */
  readonly collectedCpuMs: number;
  /** Bytes in traces. */
  readonly recordedBytes: number;
}

async function startBridge(recordDir: string | undefined): Promise<readonly [Bridge, number]> {
  // Devices whose turn it is not are silent for a while, and are to stay.
  const listener = '{ link: "tcp-listen:127.0.0.1:0", heartbeat: { interval: 60s } }';
  const { config, problems } = loadConfig(`server: { port: 0 }\nlisteners: [${listener}]`, 'bench.yaml');
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0', recordDir });
  const { listeners } = await bridge.start();
  return [bridge, Number(listeners[0]?.split(':').at(-1))];
}

const [, plainPort] = await startBridge(undefined);
const [recording, recordingPort] = await startBridge(process.argv[2]);
const ports = { without: plainPort, with: recordingPort };

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function report(): void {
  const before = cpuMs();
  if (typeof collect === 'function') collect();
  const { bytes = 0 } = Object(recording.store.document('bridge/status')?.recording);
  const told: BridgesReport = { ports, cpuMs: before, collectedCpuMs: cpuMs(), recordedBytes: bytes };
  process.send?.(told);
}

process.on('message', report);
report();

// Whoever asked is gone.
process.on('disconnect', () => process.exit());
