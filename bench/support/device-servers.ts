// A child process of bench/many-devices: a bridge that devices dial in to, or a bare server that only counts their bytes.
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadConfig } from '../../src/config/load.ts';
import { Bridge } from '../../src/runtime/bridge.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { listen } from './fan-out-way.ts';

/** What it tells at first, and whenever it is asked; the delay of the loop since the last time. */
export interface DeviceServerReport {
  readonly port: number;
  readonly receivedBytes: number;
  readonly p99Ms: number;
  readonly cpuMs: number;
}

const delay = monitorEventLoopDelay({ resolution: 1 });
let receivedBytes = 0;

async function startBridge(): Promise<number> {
  const { config, problems } = loadConfig(
    'server: { port: 0 }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0", max_devices: 5000 }]',
    'bench.yaml',
  );
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0' });
  const { listeners } = await bridge.start();
  return Number(listeners[0]?.split(':').at(-1));
}

function startSink(): Promise<number> {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      receivedBytes += chunk.length;
    });
  });
  return listen(server);
}

const port = await (process.argv[2] === 'bridge' ? startBridge() : startSink());

function report(): void {
  const { user, system } = process.cpuUsage();
  // The monitor counts the time between its own ticks, of one ms.
  const p99Ms = delay.percentile(99) / 1e6 - 1;
  process.send?.({
    port,
    receivedBytes,
    p99Ms,
    cpuMs: (user + system) / 1_000,
  } satisfies DeviceServerReport);
  receivedBytes = 0;
  delay.reset();
}

process.on('message', report);
process.on('disconnect', () => process.exit());
delay.enable();
report();
