import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canUseNamespaces, type Inside, TwoHosts } from '../support/namespaces.ts';
import { needs } from '../support/needs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;
const redis = needs('redis-server');
const PATIENCE = { timeout: 60_000 };

describe.runIf(redis.run && canUseNamespaces())(
  'two hosts with an instance each, and a wire between them',
  () => {
    let hosts: TwoHosts;
    let folder = '';
    let near: Inside;
    let far: Inside;

    /** The last status and reason of the device that a feed showed. */
    const shown = (feed: Inside): string => {
      const lines = feed.out().split('\n').slice(0, -1);
      const last = lines.filter((line) => line.includes('"devices/meter/state"')).at(-1) ?? '';
      return `${/"status":"(\w+)"/.exec(last)?.[1]} ${/"reason":"(\w+_lost)"/.exec(last)?.[1] ?? ''}`.trim();
    };

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'heartwire-'));
      hosts = new TwoHosts(folder, {});
      const heartwire = (host: string, ...args: readonly string[]): Inside =>
        hosts.run(host, process.execPath, program, ...args);
      const backplane = (instance: string) =>
        `backplane: { url: "redis://10.77.0.2:6379", instance: ${instance}, lease: 3s }\nhistory: false\n`;
      writeFileSync(
        join(folder, 'north.yaml'),
        `${backplane('north')}defaults: { heartbeat: { interval: 1s, missed: 2 } }
devices:
  - { id: meter, link: "tcp:127.0.0.1:9100", register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" } }
`,
      );
      writeFileSync(join(folder, 'gateway.yaml'), backplane('gateway'));
      // The server trusts the wire of this test.
      const open = ['--bind', '0.0.0.0', '--protected-mode', 'no', '--save', '', '--dir', folder];
      hosts.run(hosts.far, redis.path, ...open);
      heartwire(hosts.near, 'simulate', '--listen', '127.0.0.1:9100', '--every', '1s');
      heartwire(hosts.near, 'run', 'north.yaml', '--no-watch', '--quiet');
      heartwire(hosts.far, 'gateway', 'gateway.yaml', '--no-watch', '--quiet');
      const tail = ['tail', 'devices/+/state', '--json', '--merged', '--retry'];
      near = heartwire(hosts.near, ...tail);
      far = heartwire(hosts.far, ...tail);
    });

    afterAll(() => {
      hosts[Symbol.dispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    it('show the device at both ends', { timeout: 90_000 }, async () => {
      await expect.poll(() => [shown(near), shown(far)], PATIENCE).toEqual(['online', 'online']);
    });

    it('go on at the near end and doubt at the far one while the wire is out, and agree again', {
      timeout: 180_000,
    }, async () => {
      const before = near.out().length;
      hosts.wire('down');
      await expect.poll(() => shown(far), PATIENCE).toBe('stale owner_lost');
      expect(shown(near)).toBe('online');
      // It was never anything else at its own instance.
      expect(near.out().slice(before)).not.toContain('"status":"stale"');
      hosts.wire('up');
      await expect.poll(() => [shown(near), shown(far)], PATIENCE).toEqual(['online', 'online']);
    });
  },
);
