import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { freePort } from '../support/free-port.ts';
import { needs } from '../support/needs.ts';
import { readProjectFile } from '../support/project-files.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';
import { dialIn, SIMULATED_IMEI } from '../support/simulated-device.ts';
import { startBridge } from '../support/test-bridge.ts';

const PASSWORD = 'the-password-of-this-test';
const ACL = /^ACL SETUSER heartwire .*$/m.exec(readProjectFile('docs/reference/several-instances.md'))?.[0];
const LISTENERS = `
devices:
  - { id: tracker, match: { imei: "${SIMULATED_IMEI}" } }
listeners:
  - { link: "tcp-listen:127.0.0.1:0" }
`;

let redis: RedisServer;
let tlsPort = 0;
beforeEach(async () => {
  redis = await RedisServer.start();
  const { cert, key } = makeCertificate(redis.folder, 'redis.example');
  await chmod(key, 0o644);
  tlsPort = await freePort();
  await redis.ask(
    `CONFIG SET tls-auth-clients no tls-cert-file ${cert} tls-key-file ${key} tls-port ${tlsPort}`,
  );
  await redis.ask(ACL?.replace('PASSWORD', PASSWORD) ?? '');
  await writeFile(join(redis.folder, 'password'), `${PASSWORD}\n`);
});
afterEach(() => redis[Symbol.asyncDispose]());

const start = (instance: string, yaml = '', passwordFile = 'password') =>
  startBridge(`backplane:
  url: "rediss://127.0.0.1:${tlsPort}"
  instance: ${instance}
  lease: 3s
  username: heartwire
  password_file: ${join(redis.folder, passwordFile)}
  ca_file: ${join(redis.folder, 'redis.example.crt')}
${yaml}`);

describe.runIf(hasRedis && needs('openssl').run)(
  'a server with TLS, and a user as the documentation has it',
  () => {
    it('serves instances, which call every command of the rule and no other one', async () => {
      const north = await start('north', LISTENERS);
      await using gateway = await start('gateway');
      await using watcher = await DeviceWatcher.connect(gateway.url, ['devices/tracker/#']);
      await using device = await dialIn(north.devicePort);
      await watcher.sees('tracker', 'online, link connected');
      watcher.send({ type: 'command', id: 'c', device: 'tracker', message: 'datetime', fields: {} });
      await watcher.reply('c');
      await north[Symbol.asyncDispose]();
      await device[Symbol.asyncDispose]();
      // What a user was kept from stands in this log.
      expect(await redis.ask('ACL LOG')).toBe('*0\r\n');
      const allowed = [...(ACL ?? '').matchAll(/ \+(\S+)/g)].map(([, name = '']) => name);
      expect(allowed.length).toBeGreaterThan(10);
      const unused = async () => {
        const stats = await redis.ask('INFO commandstats');
        // A number of a database stands in the address where there is one.
        return allowed.filter((name) => !stats.includes(`cmdstat_${name}:`) && name !== 'select');
      };
      await expect.poll(unused).toEqual([]);
    });

    it('that refuses the password is named as that, and the password nowhere', async () => {
      await writeFile(join(redis.folder, 'wrong'), `${PASSWORD}-no-more`);
      await using bridge = await start('north', LISTENERS, 'wrong');
      const detail = () =>
        JSON.stringify((bridge.bridge.store.document('bridge/status')?.backplane as object) ?? {});
      await expect.poll(detail).toContain('WRONGPASS');
      const said =
        JSON.stringify(bridge.log) + detail() + (await (await fetch(`${bridge.url}/metrics`)).text());
      expect(said).toContain('backplane_refused');
      expect(said).not.toContain(PASSWORD);
    });
  },
);
