import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { joinSharedFeed } from '../../src/backplane/index.ts';
import { readConfig } from '../../src/config/read.ts';
import { systemClock } from '../../src/system/clock.ts';
import { LineDevice, MESSAGES } from '../support/history-world.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';

const PATIENCE = { timeout: 30_000 };
const SECRECY = `secrecy:
  keys: [{ id: a, file: a.key }]
  topics: [{ pattern: devices/meter/#, key: a }]
`;
const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** Every byte that the server keeps, as text. */
async function everything(server: Redis): Promise<string> {
  const texts: string[] = [];
  for (const key of await server.keys('*')) {
    const isStream = (await server.type(key)) === 'stream';
    texts.push(
      key,
      JSON.stringify(isStream ? await server.xrange(key, '-', '+') : await server.hgetall(key)),
    );
  }
  return texts.join('\n');
}

describe.runIf(hasRedis)('what a device says leaves the process over the backplane', () => {
  it.each([
    ['as it is', '', true],
    ['as ciphertext where it is secret', SECRECY, false],
  ])(
    '%s',
    async (_, secrecy, isPlain) => {
      await using redis = await RedisServer.start();
      await using device = new LineDevice();
      const port = await device.listen();
      const folder = await mkdtemp(join(tmpdir(), 'heartwire-backplane-secrecy-'));
      const server = new Redis(redis.port, '127.0.0.1');
      try {
        await writeFile(join(folder, 'a.key'), `${randomBytes(32).toString('base64')}\n`);
        await writeFile(join(folder, 'lines.yaml'), MESSAGES);
        const file = join(folder, 'devices.yaml');
        await writeFile(
          file,
          `server: { port: 0 }
backplane: { url: "${redis.url}", instance: north, lease: 15s }
${secrecy}devices:
  - { id: meter, link: "tcp:127.0.0.1:${port}", session: none, messages: lines.yaml, reconnect: { initial: 100ms, max: 500ms } }
`,
        );
        const { config, failed, problems } = await readConfig(file);
        if (config === undefined) throw new Error(JSON.stringify(problems));
        const options = { config, failed, clock: systemClock, log: LOG, version: '0.0.0-test' };
        await using bridge = new Bridge({ ...options, join: joinSharedFeed });
        await bridge.start();
        await expect.poll(() => device.connected, PATIENCE).toBe(true);
        const kept = async () => {
          device.say('31.4159,peculiar');
          return everything(server);
        };
        // Its state, its messages and its alarms are there.
        for (const part of ['state', 'messages', 'alarms'])
          await expect
            .poll(kept, PATIENCE)
            .toMatch(new RegExp(`devices/meter/${part}.*${isPlain ? '31\\.4159' : 'jwe'}`));
        const text = await everything(server);
        expect(/peculiar|31\.4159/.test(text)).toBe(isPlain);
      } finally {
        server.disconnect();
        await rm(folder, { recursive: true, force: true });
      }
    },
    60_000,
  );
});
