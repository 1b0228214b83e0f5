// A child process of bench/hostile: a bridge with its usual limits that tells something at an even rate.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/system/clock.ts';
import { hasOpenssl, makeCertificate } from '../../test/support/certificates.ts';
import { UnansweredNames } from './hostile-names.ts';

/** What it tells at first, and whenever it is asked. */
export interface HostileReport {
  readonly port: number;
  readonly devicePort: number;
  /** JSON lines over TLS; absent where no certificate can be made. */
  readonly tlsPort?: number | undefined;
  readonly rssMiB: number;
}

/** What it is asked: to report, or to dial names at this server that says nothing until it is asked again without one. */
export type HostileAsk = 'report' | { readonly nameServer: string | undefined };

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
/** A second bridge in the same process, which serves JSON lines over TLS. */
async function serveTls(): Promise<number | undefined> {
  if (!hasOpenssl) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'heartwire-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const { cert, key } = makeCertificate(folder, 'bench');
  const text = `server: { port: 0, tls: { cert: ${cert}, key: ${key} }, tcp: { port: 0 } }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n`;
  const loaded = loadConfig(text, join(folder, 'tls.yaml'));
  if (loaded.config === undefined) throw new Error(JSON.stringify(loaded.problems.slice(0, 3)));
  const other = new Bridge({ config: loaded.config, clock: systemClock, log: quiet, version: 'bench' });
  const { lines } = await other.start();
  return Number(lines?.split(':').at(-1));
}
const tlsPort = await serveTls();
let names: UnansweredNames | undefined;
const report = (): void => {
  const rssMiB = process.memoryUsage().rss / 1024 / 1024;
  process.send?.({ port, devicePort, tlsPort, rssMiB } satisfies HostileReport);
};
process.on('message', (ask: HostileAsk) => {
  if (ask !== 'report') {
    names?.[Symbol.dispose]();
    names = ask.nameServer === undefined ? undefined : new UnansweredNames(ask.nameServer);
  }
  report();
});
process.on('disconnect', () => process.exit());
report();
