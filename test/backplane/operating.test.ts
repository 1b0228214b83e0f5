import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examineBackplane } from '../../src/backplane/index.ts';
import { command as doctor } from '../../src/cli/commands/doctor.ts';
import { parseExposition } from '../support/exposition.ts';
import { freePort } from '../support/free-port.ts';
import { needs } from '../support/needs.ts';
import { readProjectFile } from '../support/project-files.ts';
import { RecordedIo } from '../support/recorded-io.ts';
import { hasRedis, RedisServer } from '../support/redis-server.ts';
import { startBridge } from '../support/test-bridge.ts';

const promtool = needs('promtool');
const PAGE = readProjectFile('docs/reference/several-instances.md');
/** What the documentation lets a user do. */
const RULE = /ACL SETUSER heartwire .* -@all (.*)$/m.exec(PAGE)?.[1] ?? '';

let redis: RedisServer;
beforeEach(async () => {
  redis = await RedisServer.start();
});
afterEach(() => redis[Symbol.asyncDispose]());

const examined = (more: object = {}) =>
  examineBackplane({
    url: redis.url,
    instance: 'north',
    leaseMs: 10_000,
    prefix: 'heartwire',
    entries: 100,
    ...more,
  });

/** A way to the server on which it says that it is of version 6. */
async function agedServer(target: number): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    near.pipe(far);
    // As many characters as before: the length of a reply stands before it.
    const aged = (text: string) => text.replace(/(redis|valkey)_version:\d/g, '$1_version:6');
    far.on('data', (chunk) => near.write(aged(chunk.toString('latin1')), 'latin1'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe.runIf(hasRedis)('the examination of the server', () => {
  it('finds nothing wrong with a server as it is', async () => {
    expect(await examined()).toEqual([
      { detail: expect.stringMatching(/^(Redis|Valkey) \d+\.\d+\.\d+ answers\.$/) },
      { detail: expect.stringMatching(/^It has no limit of memory; [\d.]+ MiB are in use\.$/) },
      { detail: 'Its user may do what is needed below heartwire:.' },
    ]);
    // What was tried ends by itself.
    await expect.poll(() => redis.ask('DBSIZE')).toBe(':0\r\n');
  });

  it('finds a server that throws devices away, and one that is nearly full', async () => {
    await redis.ask('CONFIG SET maxmemory 100mb');
    await redis.ask('CONFIG SET maxmemory-policy allkeys-lru');
    expect((await examined())[1]).toEqual({
      code: 'backplane_unsuited',
      detail: expect.stringContaining('allkeys-lru'),
    });
    await redis.ask('CONFIG SET maxmemory-policy noeviction');
    expect((await examined())[1]).toEqual({ detail: expect.stringContaining('noeviction') });
    const used = Number(/used_memory:(\d+)/.exec(await redis.ask('INFO memory'))?.[1]);
    await redis.ask(`CONFIG SET maxmemory ${Math.round(used * 1.02)}`);
    const nearlyFull = (await examined()).find(({ detail }) => detail.includes('nearly full'));
    expect(nearlyFull?.code).toBe('backplane_unsuited');
  });

  it.each([
    ['the rule of the documentation', `${RULE} ~heartwire:*`, undefined],
    ['a rule without XREAD', `${RULE.replace(' +xread', '')} ~heartwire:*`, 'backplane_refused'],
    ['a rule without scripts', `${RULE.replace(' +script|load', '')} ~heartwire:*`, 'backplane_refused'],
    ['a rule for other keys', `${RULE} ~other:*`, 'backplane_refused'],
  ] as const)('tries what a user may do: %s', async (_, rule, code) => {
    await redis.ask(`ACL SETUSER bridge on >secret ${rule}`);
    const passwordFile = join(redis.folder, 'password');
    await writeFile(passwordFile, 'secret\n');
    const findings = await examined({ username: 'bridge', passwordFile });
    expect(findings.map((each) => each.code).filter((each) => each !== undefined)).toEqual(
      code === undefined ? [] : [code],
    );
    if (code !== undefined) expect(findings.at(-1)?.detail).toContain(RULE);
  });

  it.each([
    ['a password that is wrong', 'wrong', 'backplane_refused'],
    ['a server that is not there', undefined, 'backplane_lost'],
  ] as const)('says why it is not reached: %s', async (_, password, code) => {
    await redis.ask('ACL SETUSER bridge on >secret +@all ~*');
    const passwordFile = join(redis.folder, 'password');
    await writeFile(passwordFile, password ?? 'secret');
    const url = password === undefined ? `redis://127.0.0.1:${await freePort()}` : redis.url;
    expect(await examined({ url, username: 'bridge', passwordFile })).toMatchObject([{ code }]);
  });

  it('finds a server that is part of a cluster', async () => {
    await using cluster = await RedisServer.start({ args: ['--save', '', '--cluster-enabled', 'yes'] });
    expect((await examined({ url: cluster.url }))[0]).toEqual({
      code: 'backplane_unsuited',
      detail: expect.stringMatching(/answers as part of a cluster; one server is needed\.$/),
    });
  });

  it('finds a server that is too old', async () => {
    await using old = await agedServer(redis.port);
    expect((await examined({ url: `redis://127.0.0.1:${old.port}` }))[0]).toEqual({
      code: 'backplane_unsuited',
      detail: expect.stringMatching(/^(Redis|Valkey) 6\.[\d.]+ answers; version 7 or later is needed\.$/),
    });
  });

  it('is part of `heartwire doctor`', async () => {
    const yaml = `server: { port: 0 }
history: false
backplane: { url: "${redis.url}", instance: north }
`;
    await writeFile(join(redis.folder, 'devices.yaml'), yaml);
    const io = new RecordedIo(redis.folder);
    await doctor.run({ file: 'devices.yaml', json: false }, io);
    expect(io.printed).toMatch(/^ok {2}backplane: (Redis|Valkey) [\d.]+ answers\.$/m);
    await redis.kill();
    const again = new RecordedIo(redis.folder);
    expect(await doctor.run({ file: 'devices.yaml', json: false }, again)).toBe(1);
    expect(again.printed).toMatch(/^BAD backplane: backplane_lost: /m);
  });
});

describe.runIf(hasRedis)('the metrics of an instance', () => {
  const start = (yaml: string) => startBridge(`${yaml}\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]`);
  const scraped = async (url: string) => (await fetch(`${url}/metrics`)).text();
  const families = (text: string) => {
    const { types, help, series } = parseExposition(text);
    const ours = [...types].filter(([name]) => name.startsWith('heartwire_backplane_'));
    return ours.map(([name, type]) => {
      const value = series.find((each) => each.name === name)?.value;
      return { name, type, help: help.get(name), value };
    });
  };

  it('are those of the documentation, and there are none without the key', async () => {
    await using bridge = await start(`backplane: { url: "${redis.url}", instance: north, lease: 5s }`);
    const value = async (name: string) =>
      families(await scraped(bridge.url)).find((each) => each.name === `heartwire_backplane_${name}`)?.value;
    await expect.poll(() => value('up')).toBe(1);
    expect(await value('instances')).toBe(1);
    await expect.poll(() => value('published_total')).toBeGreaterThan(0);
    const text = await scraped(bridge.url);
    const listed = PAGE.match(/^\| `heartwire_backplane_.*$/gm);
    expect(listed).toEqual(
      families(text).map(({ name, type, help }) => `| \`${name}\` | ${type} | ${help} |`),
    );
    if (promtool.run) {
      const { stdout, stderr } = spawnSync(promtool.path, ['check', 'metrics'], {
        input: text,
        encoding: 'utf8',
      });
      expect(stdout + stderr).toBe('');
    }
    await redis.kill();
    await expect.poll(() => value('up')).toBe(0);
    expect(await value('reconnects_total')).toBeGreaterThan(0);
    await using alone = await start('');
    expect(families(await scraped(alone.url))).toEqual([]);
  });

  it('are ready once the server answered, and stay so without it', async () => {
    await redis.kill();
    await using bridge = await start(`backplane: { url: "${redis.url}", instance: north, lease: 5s }`);
    const readiness = async () => {
      const response = await fetch(`${bridge.url}/readyz`);
      const { reasons = [] } = (await response.json()) as { reasons?: { kind: string }[] };
      return [response.status, ...reasons.map(({ kind }) => kind)];
    };
    expect(await readiness()).toEqual([503, 'backplane_awaited']);
    await redis.run();
    await expect.poll(readiness, { timeout: 15_000 }).toEqual([200]);
    await redis.kill();
    const up = async () => /^heartwire_backplane_up (\d)$/m.exec(await scraped(bridge.url))?.[1];
    await expect.poll(up).toBe('0');
    expect(await readiness()).toEqual([200]);
    // Another process with this name has it from now on.
    await redis.run();
    await expect.poll(up, { timeout: 15_000 }).toBe('1');
    await using _newer = await start(`backplane: { url: "${redis.url}", instance: north, lease: 5s }`);
    await expect.poll(readiness, { timeout: 15_000 }).toEqual([503, 'superseded']);
  });
});
