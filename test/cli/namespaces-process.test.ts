import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canUseNamespaces, type Inside, TwoHosts } from '../support/namespaces.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;
const LOST = ['one', 'two', 'three', 'four', 'five', 'six'];
const REGISTER = 'register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" }';
const PATIENCE = { timeout: 30_000 };

describe.runIf(canUseNamespaces())('a bridge on a host of its own, with a device on another one', () => {
  let hosts: TwoHosts;
  let folder = '';
  let bridge: Inside;
  let feed: Inside;

  const heartwire = (host: string, ...args: readonly string[]): Inside =>
    hosts.run(host, process.execPath, program, ...args);
  /** The last that was said of a device. */
  const last = (device: string, key: 'status' | 'reason'): string | undefined => {
    const lines = feed.out().split('\n').slice(0, -1);
    const own = lines.filter((line) => line.includes(`"devices/${device}/state"`));
    return new RegExp(`"${key}":"([a-z_]+)"`).exec(own.at(-1) ?? '')?.[1];
  };

  beforeAll(() => {
    expect(existsSync(program), 'npm test compiles the program first; so does npm run build').toBe(true);
    // Nothing answers at the address of the name server.
    folder = mkdtempSync(join(tmpdir(), 'heartwire-'));
    hosts = new TwoHosts(folder, {
      'resolv.conf': 'nameserver 10.77.0.53\n',
      hosts: '10.77.0.2 meter\n',
    });
    const file = join(folder, 'devices.yaml');
    const lost = LOST.map((name) => `  - { id: ${name}, link: "tcp:${name}.example:9089", ${REGISTER} }\n`);
    writeFileSync(
      file,
      `defaults: { heartbeat: { interval: 1s, missed: 2 }, reconnect: { max: 1s } }\ndevices:\n${lost.join('')}  - { id: meter, link: "tcp:meter:9100", ${REGISTER} }\n`,
    );
    heartwire(hosts.far, 'simulate', '--listen', '10.77.0.2:9100');
    bridge = heartwire(hosts.near, 'run', file, '--port', '8080');
    feed = heartwire(hosts.near, 'tail', 'devices/+/state', '--json', '--merged', '--retry');
  });

  afterAll(() => {
    hosts[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has the device online beside names that no server answers for, and says so of those', async () => {
    await expect.poll(() => last('meter', 'status'), PATIENCE).toBe('online');
    for (const name of LOST) {
      await expect.poll(() => last(name, 'reason'), PATIENCE).toBe('name_not_resolved');
    }
    expect(last('meter', 'status')).toBe('online');
  }, 60_000);

  it('sees that the wire is out, and that it is in again', async () => {
    hosts.wire('down');
    await expect.poll(() => last('meter', 'status'), PATIENCE).toBe('offline');
    hosts.wire('up');
    await expect.poll(() => last('meter', 'status'), PATIENCE).toBe('online');
  }, 90_000);

  it('ends when it is told to, with look-ups under way', async () => {
    bridge.child.kill('SIGTERM');
    // A look-up that was not ended would hold it up for as long as the system waits for a name server.
    await expect.poll(bridge.ended, { timeout: 4_000 }).toBe(0);
  }, 30_000);
});
