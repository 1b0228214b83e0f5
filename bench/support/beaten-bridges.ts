// A child process of bench/recording: three bridges that devices dial in to; one of them records into a folder, one keeps
// the last bytes for incidents. In one process they run the same compiled code on the same heap, so that they differ in
// nothing else.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bridge, type BridgeOptions } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/system/clock.ts';

/** What it tells once at first by itself, and whenever it is asked. */
export interface BridgesReport {
  readonly ports: { readonly without: number; readonly recording: number; readonly kept: number };
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

async function startBridge(
  how: Pick<BridgeOptions, 'recordDir' | 'blackBox'>,
): Promise<readonly [Bridge, number]> {
  // Devices whose turn it is not are silent for a while, and are to stay.
  const listener = '{ link: "tcp-listen:127.0.0.1:0", heartbeat: { interval: 60s } }';
  const { config, problems } = loadConfig(`server: { port: 0 }\nlisteners: [${listener}]`, 'bench.yaml');
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0', ...how });
  const { listeners } = await bridge.start();
  return [bridge, Number(listeners[0]?.split(':').at(-1))];
}

const dir = process.argv[2];
const { config: plain } = loadConfig('devices: []', 'plain.yaml');
const [, without] = await startBridge({});
const [recorder, recording] = await startBridge({ recordDir: dir });
const [, kept] = await startBridge({
  blackBox: plain?.blackBox && { ...plain.blackBox, dir: `${dir}/kept` },
});
const ports = { without, recording, kept };

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function report(): void {
  const before = cpuMs();
  if (typeof collect === 'function') collect();
  const { bytes = 0 } = Object(recorder.store.document('bridge/status')?.recording);
  const told: BridgesReport = { ports, cpuMs: before, collectedCpuMs: cpuMs(), recordedBytes: bytes };
  process.send?.(told);
}

process.on('message', report);
report();

// Whoever asked is gone.
process.on('disconnect', () => process.exit());
