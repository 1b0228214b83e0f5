// A child process of bench/idle-fleet: a bridge that devices dial in to, or a bare server that answers their beats.
import { createServer } from 'node:net';
import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { systemClock } from '../../src/system/clock.ts';
import { listen } from './fan-out-way.ts';

export type FleetServerKind = 'bridge' | 'bare';

/** What it says at first, and whenever it is asked. */
export interface FleetServerReport {
  readonly port: number;
  readonly devicePort: number;
  /** Of this process, since its start. */
  readonly cpuMs: number;
  readonly rssMiB: number;
}

type Ports = readonly [port: number, devicePort: number];

const kind = process.argv[2] as FleetServerKind;
/** A register is longer than a beat by far. */
const LONGEST_BEAT = 16;

async function startBridge(): Promise<Ports> {
  const { config, problems } = loadConfig(
    'server: { port: 0 }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0", max_devices: 20000, max_connections: 20000, max_connections_per_address: 20000, max_nameless: 20000, max_new_per_minute: 100000 }]',
    'bench.yaml',
  );
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0' });
  const { port, listeners } = await bridge.start();
  return [port, Number(listeners[0]?.split(':').at(-1))];
}

async function startBare(): Promise<Ports> {
  const registered = encodeFrame({ name: 'register', kind: 'reply', error: 0 });
  const beaten = encodeFrame({ name: 'heartbeat', kind: 'reply', error: 0 });
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', ({ length }) => void socket.write(length > LONGEST_BEAT ? registered : beaten));
  });
  return [0, await listen(server)];
}

const [port, devicePort] = await (kind === 'bridge' ? startBridge() : startBare());
const report = (): void => {
  const { user, system } = process.cpuUsage();
  const rssMiB = process.memoryUsage().rss / 1024 / 1024;
  process.send?.({
    port,
    devicePort,
    cpuMs: (user + system) / 1_000,
    rssMiB,
  } satisfies FleetServerReport);
};
process.on('message', report);
process.on('disconnect', () => process.exit());
report();
