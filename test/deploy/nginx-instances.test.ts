import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect } from '../../src/client/index.ts';
import { type Instance, InstancesWorld, PATIENCE } from '../support/instances-world.ts';
import { hasNginx, Nginx } from '../support/nginx.ts';
import { hasRedis } from '../support/redis-server.ts';

/** Two instances that trust the proxy. */
const started = () =>
  InstancesWorld.start({
    server: ', hosts: [panel.example], trusted_proxies: [127.0.0.1]',
    keys: 'access: { insecure: true }',
  });

/** Not the address of the proxy; the socket believes its certificate. */
function wayTo(nginx: Nginx): typeof WebSocket {
  return class extends WebSocket {
    constructor(url: string | URL) {
      const headers = { Host: `panel.example:${nginx.port}` };
      super(url, { headers, ca: readFileSync(nginx.certificate.cert), localAddress: '127.0.0.2' });
    }
  } as typeof WebSocket;
}

describe.runIf(hasNginx && hasRedis)('two instances behind nginx, with the upstream that is shipped', () => {
  it('serve a client one after the other when they are killed, and it misses nothing without knowing', {
    timeout: 300_000,
  }, async () => {
    await using world = await started();
    const ports = (['north', 'south'] as const).map((instance) => world.ports.get(instance) ?? 0);
    await expect.poll(() => world.device.connections, PATIENCE).toBe(1);
    await using nginx = await Nginx.start(ports[0] ?? 0, ports[1] ?? 0);
    const client = connect(`https://127.0.0.1:${nginx.port}`, {
      topics: ['devices/rack/#'],
      WebSocket: wayTo(nginx),
      backOff: { firstMs: 50, mostMs: 500 },
    });
    let last = 0;
    let excused = true;
    const silent: string[] = [];
    client.on('message', (message) => {
      if (message.type === 'synced' && message.payload.mode === 'full') excused = true;
    });
    client.on('item', (item) => {
      if (item.kind === 'gap') excused = true;
      if (item.kind !== 'event' || item.data.message !== 'count') return;
      const { n } = item.data.fields as { n: number };
      if (n <= last || (n > last + 1 && !excused)) silent.push(`${n} follows ${last}`);
      last = n;
      excused = false;
    });
    try {
      const at = async (): Promise<Instance> => {
        const { clients } = (await client.request('get_clients')) as {
          clients: ReadonlyArray<{ instance: Instance; address: string }>;
        };
        return clients.find(({ address }) => address === '127.0.0.2')?.instance ?? 'gateway';
      };
      for (let kill = 0; kill < 2; kill++) {
        await client.connected();
        const served = await at();
        const other: Instance = served === 'north' ? 'south' : 'north';
        const from = world.device.last;
        await world.kill(served);
        // It is a client of the other one, and the device is too.
        await expect.poll(() => at().catch(() => undefined), PATIENCE).toBe(other);
        await expect.poll(() => last, PATIENCE).toBeGreaterThan(from);
        world.run(served);
        const status = () =>
          fetch(`${world.url(served)}/readyz`).then(
            (response) => response.status,
            () => 0,
          );
        await expect.poll(status, PATIENCE).toBe(200);
      }
      expect(silent).toEqual([]);
    } finally {
      client.close();
    }
  });
});
