import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { loadConfig } from '../../src/config/load.ts';
import { secretOf } from '../support/access-world.ts';
import { FeedClient } from '../support/feed-world.ts';
import { ask } from '../support/http.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const LISTENER = 'listeners:\n  - link: tcp-listen:127.0.0.1:0\n';
const entry = (name: string, topics = '#') =>
  `    - { name: ${name}, hash: "sha256:${createHash('sha256').update(secretOf(name)).digest('hex')}", roles: read, topics: "${topics}" }\n`;
const access = (...names: string[]) => `access:\n  tokens:\n${names.map((name) => entry(name)).join('')}`;

async function client(bridge: TestBridge, name: string): Promise<FeedClient> {
  const headers = { Authorization: `Bearer ${secretOf(name)}` };
  const made = new FeedClient(new WebSocket(`${bridge.url.replace('http', 'ws')}/ws`, { headers }));
  await made.next('welcome');
  return made;
}

const reload = (bridge: TestBridge, yaml: string, server = '{ port: 0 }') =>
  bridge.bridge.apply(loadConfig(`server: ${server}\n${yaml}`, 'test.yaml'));

describe('a reload', () => {
  it('takes other tokens over: who lost his goes, all others stay, new ones come in', async () => {
    await using bridge = await startBridge(`${access('a', 'b')}${LISTENER}`);
    const [a, b] = [await client(bridge, 'a'), await client(bridge, 'b')];
    await reload(bridge, `${access('b', 'c')}${LISTENER}`);
    expect((await a.closed).code).toBe(4500);
    b.send({ type: 'echo', id: '1', data: 1 });
    await b.next('echo');
    const c = await client(bridge, 'c');
    const port = Number(new URL(bridge.url).port);
    const status = async (name: string) =>
      (await ask(port, '/api/devices', { headers: { Authorization: `Bearer ${secretOf(name)}` } })).status;
    expect([await status('a'), await status('b')]).toEqual([401, 200]);
    for (const each of [b, c]) each.socket.terminate();
  });

  it('keeps the former tokens where the new ones cannot be had', async () => {
    await using bridge = await startBridge(`${access('a')}${LISTENER}`);
    const a = await client(bridge, 'a');
    const { problems } = await reload(bridge, `access: { jwt: { jwks_file: nowhere.json } }\n${LISTENER}`);
    expect(problems).toMatchObject([
      { code: 'config_key_unreadable', message: expect.stringContaining('nowhere.json') },
    ]);
    a.send({ type: 'echo', id: '1', data: 1 });
    await a.next('echo');
    a.socket.terminate();
  });

  it('opens no bridge to the network that was closed', async () => {
    await using bridge = await startBridge(`${access('a')}${LISTENER}`, '{ port: 0, host: 0.0.0.0 }');
    const port = Number(new URL(bridge.url).port);
    expect((await ask(port, '/api/devices')).status).toBe(401);
    // As with `run --host`: the file says loopback, and so finds nothing wrong with it.
    const outcome = await reload(bridge, LISTENER);
    expect(outcome).toMatchObject({ diff: { settings: [] }, problems: [{ code: 'config_insecure' }] });
    expect((await ask(port, '/api/devices')).status).toBe(401);
  });
});
