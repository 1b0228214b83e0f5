// A child process of bench/recording: a bridge that devices dial in to, with or without a folder to record into.
import { loadConfig } from '../../src/config/load.ts';
import { Bridge } from '../../src/runtime/bridge.ts';
import { systemClock } from '../../src/runtime/clock.ts';

/** What it tells when it is asked anything: once at first by itself, with its port. */
export interface BridgeReport {
  readonly port: number;
  /** Processor time of this process so far, disk threads included, in ms. */
  readonly cpuMs: number;
  /** Bytes in traces. */
  readonly recordedBytes: number;
}

const recordDir = process.argv[2];
const { config, problems } = loadConfig(
  'server: { port: 0 }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]',
  'bench.yaml',
);
if (config === undefined) throw new Error(JSON.stringify(problems));
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0', recordDir });
const { listeners } = await bridge.start();
const port = Number(listeners[0]?.split(':').at(-1));

function report(): void {
  const { user, system } = process.cpuUsage();
  const { bytes = 0 } = Object(bridge.store.document('bridge/status')?.recording);
  process.send?.({ port, cpuMs: (user + system) / 1_000, recordedBytes: bytes } satisfies BridgeReport);
}

process.on('message', report);
report();
