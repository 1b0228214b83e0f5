// A child process of bench/hostile: a bridge with its usual limits that tells something at an even rate.

import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/system/clock.ts';

/** What it tells at first, and whenever it is asked. */
export interface HostileReport {
  readonly port: number;
  readonly devicePort: number;
  readonly rssMiB: number;
}

const EVERY_MS = 5;
/** Devices with series of their own at `/metrics`, and all that `/api/devices` lists. */
const CONFIGURED = 1_000;
const LISTED = 10_000;

const devices = Array.from(
  { length: CONFIGURED },
  (_, at) => `  - { id: c${at}, session: none, match: { from: 10.0.${at >> 8}.${at & 255} } }\n`,
);
const yaml = `server: { port: 0 }\nmetrics: { per_device: true }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\ndevices:\n${devices.join('')}`;
const { config, problems } = loadConfig(yaml, 'bench.yaml');
if (config === undefined) throw new Error(JSON.stringify(problems.slice(0, 3)));
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const bridge = new Bridge({ config, clock: systemClock, log: quiet, version: 'bench' });
const { store } = bridge;
const { port, listeners } = await bridge.start();
const devicePort = Number(listeners[0]?.split(':').at(-1));
for (let at = 0; at < LISTED - CONFIGURED; at++) {
  store.publishState(`devices/p${at}/state`, { device: `p${at}`, status: 'online', filler: 'x'.repeat(300) });
}
setInterval(() => {
  const at = performance.timeOrigin + performance.now();
  store.publishEvent('devices/p1/messages', { at, filler: 'x'.repeat(500) });
  store.publishState('devices/p2/state', { device: 'p2', status: 'online', at });
}, EVERY_MS);
const report = (): void => {
  const rssMiB = process.memoryUsage().rss / 1024 / 1024;
  process.send?.({ port, devicePort, rssMiB } satisfies HostileReport);
};
process.on('message', report);
process.on('disconnect', () => process.exit());
report();
