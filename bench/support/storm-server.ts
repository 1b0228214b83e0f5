// A child process of bench/storm: a bridge that devices dial in to, and that tells its subscribers something all the time.

import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/system/clock.ts';

/** Where it is found; it says nothing else. */
export interface StormServerReport {
  readonly port: number;
  readonly devicePort: number;
}

const EVERY_MS = 20;
const FILLER = 'x'.repeat(200);

const { config, problems } = loadConfig(
  'server: { port: 0 }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0", max_devices: 5000, max_connections: 5000, max_connections_per_address: 5000, max_nameless: 5000 }]',
  'bench.yaml',
);
if (config === undefined) throw new Error(JSON.stringify(problems));
const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0' });
const { port, listeners } = await bridge.start();
setInterval(() => {
  const at = performance.timeOrigin + performance.now();
  bridge.store.publishEvent('devices/busy/messages', { at, filler: FILLER });
}, EVERY_MS);
process.on('disconnect', () => process.exit());
process.send?.({ port, devicePort: Number(listeners[0]?.split(':').at(-1)) } satisfies StormServerReport);
