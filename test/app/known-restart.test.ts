import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { readConfig } from '../../src/config/read.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { systemClock } from '../../src/system/clock.ts';
import { registerRequest } from '../support/session-bench.ts';

const APPID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const imei = (index: number): string => String(300_000_000_000_000 + index);

let folder = '';
const sockets: Socket[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'restart-'));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await rm(folder, { recursive: true });
});

/** A run of the bridge, with its port for devices. */
async function run(yaml = '', listener = ''): Promise<AsyncDisposable & { bridge: Bridge; port: number }> {
  const file = join(folder, 'devices.yaml');
  const link = `{ link: "tcp-listen:127.0.0.1:0"${listener} }`;
  await writeFile(file, `server: { port: 0 }\nlisteners: [${link}]\n${yaml}`);
  const { config, problems } = await readConfig(file);
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const knownFile = join(folder, 'devices.known');
  const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0-test', knownFile });
  const { listeners } = await bridge.start();
  return {
    bridge,
    port: Number(listeners[0]?.split(':').at(-1)),
    [Symbol.asyncDispose]: () => bridge[Symbol.asyncDispose](),
  };
}

async function dial(port: number, index: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.write(encodeFrame(registerRequest({ appid: APPID, imei: imei(index) })));
  await new Promise((resolve) => socket.once('data', resolve));
  return socket;
}

const counts = (bridge: Bridge) => bridge.directory.countByStatus();
const state = (bridge: Bridge, index: number) => bridge.store.document(`devices/${imei(index)}/state`);

describe('unannounced devices after a restart', () => {
  it('are known, and those that are away say since when and why', async () => {
    let gone: unknown;
    {
      await using first = await run();
      const links = await Promise.all(Array.from({ length: 60 }, (_, index) => dial(first.port, index)));
      await expect.poll(() => counts(first.bridge)).toEqual({ online: 60 });
      for (const link of links.slice(0, 7)) link.end();
      await expect.poll(() => counts(first.bridge)).toEqual({ online: 53, offline: 7 });
      const { status, reason, detail } = state(first.bridge, 3) ?? {};
      gone = { status, reason, detail, identity: { appid: APPID, imei: imei(3) } };
      expect(reason).toBe('link_closed');
    }
    await using second = await run();
    expect(counts(second.bridge)).toEqual({ offline: 60 });
    expect(state(second.bridge, 3)).toMatchObject(gone as object);
    expect(state(second.bridge, 30)).toMatchObject({ status: 'offline', reason: 'bridge_restarted' });
    for (let index = 7; index < 60; index++) await dial(second.port, index);
    await expect.poll(() => counts(second.bridge)).toEqual({ online: 53, offline: 7 });
  });

  it('are forgotten when they have been away for long enough in all', async () => {
    const head = { heartwire: 'known-devices', version: 1 };
    const away = (since: number) => ({ since, reason: 'silent', detail: 'quiet', byItself: false });
    const device = { listener: '127.0.0.1:0', byAddress: false, settled: false };
    const lines = [
      head,
      { ...device, id: 'long', away: away(Date.now() - 3_700_000) },
      { ...device, id: 'short', away: away(Date.now() - 3_000_000) },
    ];
    await writeFile(join(folder, 'devices.known'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await using second = await run('', ', forget: 1h');
    await expect.poll(() => counts(second.bridge)).toEqual({ offline: 1 });
    expect(second.bridge.store.document('devices/short/state')).toMatchObject({ reason: 'silent' });
  });

  it('are left out where the configuration has them, or their listener refuses them', async () => {
    {
      await using first = await run();
      await Promise.all([0, 1].map((index) => dial(first.port, index)));
      await expect.poll(() => counts(first.bridge)).toEqual({ online: 2 });
    }
    {
      await using second = await run(`devices: [{ id: bench, match: { imei: "${imei(0)}" } }]`);
      expect(counts(second.bridge)).toEqual({ unknown: 1, offline: 1 });
    }
    await using third = await run('', ', unknown: refuse');
    expect(counts(third.bridge)).toEqual({});
  });

  it('leave nothing of a secret state in the file', async () => {
    await writeFile(join(folder, 'a.key'), randomBytes(32).toString('base64'));
    const secrecy = `secrecy: { keys: [{ id: a, file: a.key }], topics: [{ pattern: "devices/${imei(0)}/#", key: a }] }`;
    {
      await using first = await run(secrecy);
      const links = await Promise.all([0, 1].map((index) => dial(first.port, index)));
      for (const link of links) link.end();
      await expect.poll(() => counts(first.bridge)).toEqual({ offline: 2 });
    }
    const lines = (await readFile(join(folder, 'devices.known'), 'utf8')).trim().split('\n').slice(1);
    const [secret, open] = lines
      .map((line): Record<string, unknown> => JSON.parse(line))
      .sort((a, b) => String(a.id).localeCompare(String(b.id)));
    expect(secret).toEqual({
      id: imei(0),
      listener: '127.0.0.1:0',
      byAddress: false,
      settled: false,
      away: { since: expect.any(Number), byItself: false },
    });
    expect(open).toMatchObject({
      host: '127.0.0.1',
      identity: { appid: APPID },
      away: { reason: 'link_closed' },
    });
    await using second = await run(secrecy);
    expect(counts(second.bridge)).toEqual({ offline: 2 });
  });
});
