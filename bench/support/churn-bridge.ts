// A child process of bench/churn: a whole bridge with listeners, JSON lines, recording and files, which says what it holds.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { DEFAULT_PROTOCOL } from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import { systemClock } from '../../src/system/clock.ts';

/** Where it is found; said first. */
export interface ChurnPorts {
  readonly http: number;
  readonly lines: number;
  readonly devices: number;
}

/** What it holds; said whenever it is asked. */
export interface ChurnSample {
  readonly rssMiB: number;
  /** In use once all that can be collected is. */
  readonly heapMiB: number;
  /** What the heap takes of the system. */
  readonly heapTotalMiB: number;
  /** Beside the heap: buffers, mostly. */
  readonly externalMiB: number;
  readonly descriptors: number;
  /** Timers, sockets and whatever else keeps the loop busy. */
  readonly handles: number;
  /** That it knows at present. */
  readonly devices: number;
  /** Since the start. */
  readonly logLines: number;
}

const MIB = 1024 * 1024;
/** Lower than what a person does meanwhile. */
const PRIORITY = 10;

setPriority(PRIORITY);
const dir = mkdtempSync(join(tmpdir(), 'heartwire-churn-'));

const protocol = new DeclaredProtocol({
  ...DEFAULT_PROTOCOL,
  messages: [
    {
      name: 'telemetry',
      id: 0x10,
      from: 'device',
      fields: [
        { name: 'uptime', type: 'u32', unit: 's' },
        { name: 'temperature', type: 'i16', scale: 0.01, unit: '°C' },
      ],
    },
    {
      name: 'file_chunk',
      id: 0x20,
      from: 'any',
      reply: 'status',
      fields: [
        { name: 'transfer', type: 'u16' },
        { name: 'index', type: 'u32' },
        { name: 'total', type: 'u32' },
        { name: 'data', type: 'bytes', length: 'u16', max: 1_024 },
      ],
    },
  ],
});

const { config, problems } = loadConfig(
  `server: { port: 0, tcp: { port: 0 } }
messages: churn
recording: { dir: ${JSON.stringify(join(dir, 'traces'))}, budget_mb: 64, max_file_mb: 1, max_age: 1m }
files: { dir: ${JSON.stringify(join(dir, 'files'))}, budget_mb: 4 }
listeners:
  - { link: "tcp-listen:127.0.0.1:0", max_devices: 500, forget: 1m, record: true }`,
  'churn.yaml',
  new Map([['churn', { protocol, problems: [] }]]),
);
if (config === undefined) throw new Error(JSON.stringify(problems));

let logLines = 0;
const count = (): void => void logLines++;
const bridge = new Bridge({
  config,
  clock: systemClock,
  log: { info: count, warn: count, error: count },
  version: '0.0.0',
});
const { port, lines = '', listeners } = await bridge.start();

const portOf = (address = ''): number => Number(address.split(':').at(-1));

function sample(): ChurnSample {
  // The size of the process first: collecting changes it.
  const rss = process.memoryUsage.rss();
  const { heapTotal, external } = process.memoryUsage();
  globalThis.gc?.();
  const devices = [...bridge.directory.all()];
  return {
    rssMiB: rss / MIB,
    heapTotalMiB: heapTotal / MIB,
    externalMiB: external / MIB,
    heapMiB: process.memoryUsage().heapUsed / MIB,
    descriptors: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0,
    handles: process.getActiveResourcesInfo().length,
    devices: devices.length,
    logLines,
  };
}

process.on('message', (order) => {
  if (order === 'sample') process.send?.(sample());
});
process.on('disconnect', () => {
  void bridge[Symbol.asyncDispose]().finally(() => {
    rmSync(dir, { recursive: true, force: true });
    process.exit();
  });
});
process.send?.({ http: port, lines: portOf(lines), devices: portOf(listeners[0]) } satisfies ChurnPorts);
