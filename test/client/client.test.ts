import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Client, type ConnectOptions, connect, type FeedItem } from '../../src/client/index.ts';
import { BridgeFace } from '../support/bridge-face.ts';

const STATE = {
  device: 'a',
  status: 'online',
  since: 1,
  link: { status: 'connected', since: 1, attempt: 0 },
};
const QUICK = { firstMs: 20, mostMs: 50 };

describe('a client of a real feed', () => {
  let face: BridgeFace;
  const clients: Client[] = [];

  beforeEach(async () => {
    face = await BridgeFace.open();
    face.store.publishState('devices/a/state', STATE);
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await face[Symbol.asyncDispose]();
  });

  const open = (options: ConnectOptions = {}): Client => {
    const client = connect(face.url, { WebSocket, backOff: QUICK, ...options });
    clients.push(client);
    return client;
  };
  /** The same store behind another server on the same port: what happened meanwhile is known. */
  const reopen = async (whileAway = (): void => undefined): Promise<void> => {
    const { port, store } = face;
    await face[Symbol.asyncDispose]();
    whileAway();
    face = await BridgeFace.open({ port, store });
  };

  it('holds what it is subscribed to, and follows it', async () => {
    const client = open();
    expect(client.status.state).toBe('connecting');
    const subscription = client.subscribe('devices/+/state');
    await subscription.ready;
    expect(client.view.get('a')).toEqual(STATE);
    expect([...client.view.devices()]).toEqual(['a']);
    face.store.publishState('devices/a/state', { ...STATE, status: 'stale' });
    await expect.poll(() => client.view.get('a')?.status).toBe('stale');
    face.store.removeState('devices/a/state');
    await expect.poll(() => client.view.get('a')).toBeUndefined();
    expect(client.status).toMatchObject({ state: 'connected', attempt: 0 });
    expect(client.clientId).toMatch(/./);
  });

  it('gives a `for await` what is there, and then every change', async () => {
    const client = open({ topics: ['devices/#'] });
    await client.connected();
    const seen: string[] = [];
    for await (const { device, topic, document } of client.view) {
      seen.push(`${device} ${topic.split('/').at(-1)} ${document?.status ?? 'gone'}`);
      if (seen.length === 1) face.store.publishState('devices/b/state', { ...STATE, device: 'b' });
      if (seen.length === 2) face.store.removeState('devices/a/state');
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(['a state online', 'b state online', 'a state gone']);
  });

  it('comes back by itself, with what happened meanwhile, and says how true the view is', async () => {
    const client = open({ topics: ['devices/#'] });
    const items: FeedItem[] = [];
    client.on('item', (item) => items.push(item));
    const states: string[] = [client.status.state];
    client.on('status', ({ state }) => states.push(state));
    await client.connected();
    face.store.publishEvent('devices/a/messages', { n: 1 });
    await expect.poll(() => items.length).toBe(1);
    await reopen(() => {
      face.store.publishEvent('devices/a/messages', { n: 2 });
      face.store.publishState('devices/a/state', { ...STATE, status: 'away' });
    });
    await expect.poll(() => client.status.state).toBe('connected');
    expect(client.view.get('a')?.status).toBe('away');
    await expect.poll(() => items.length).toBe(2);
    expect(items).toMatchObject([
      { kind: 'event', device: 'a', topic: 'devices/a/messages', data: { n: 1 } },
      { kind: 'event', data: { n: 2 } },
    ]);
    expect(states.filter((state, index) => states[index - 1] !== state)).toEqual([
      'connecting',
      'connected',
      'stale',
      'recovering',
      'connected',
    ]);
  });

  it('gives up what is unsubscribed, and keeps what another subscription covers', async () => {
    face.store.publishState('bridge/status', { version: '1' });
    const client = open();
    const all = client.subscribe('#');
    const devices = client.subscribe(['devices/+/state']);
    await Promise.all([all.ready, devices.ready]);
    all.unsubscribe();
    await expect.poll(() => client.view.document('bridge/status')).toBeUndefined();
    expect(client.view.get('a')).toEqual(STATE);
    const items: FeedItem[] = [];
    for await (const item of all) items.push(item);
    expect(items).toEqual([]);
    devices.unsubscribe();
    await expect.poll(() => [...client.view.topics()]).toEqual([]);
    expect(client.status.state).toBe('connected');
  });

  it('acknowledges an event once it was dealt with, and gets it again where it was not', async () => {
    const client = open();
    const seen: number[] = [];
    let fail = true;
    const subscription = client.subscribe('devices/a/messages', {
      ack: true,
      onItem: async (item) => {
        if (item.kind !== 'event') return;
        seen.push(Number(item.data.n));
        // Not dealt with, without an error that nobody catches.
        if (fail) await new Promise(() => undefined);
      },
    });
    await subscription.ready;
    face.store.publishEvent('devices/a/messages', { n: 1 });
    await expect.poll(() => seen).toEqual([1]);
    fail = false;
    face.store.publishEvent('devices/a/messages', { n: 2 });
    await expect.poll(() => seen).toEqual([1, 2]);
  });

  it('talks to the other clients', async () => {
    const [one, other] = [open(), open()];
    await Promise.all([one.connected(), other.connected()]);
    const heard = new Promise((resolve) => other.on('item', resolve));
    expect(await one.broadcast({ hello: 'all' })).toBe(2);
    expect(await heard).toMatchObject({ kind: 'broadcast', from: one.clientId, data: { hello: 'all' } });
  });

  it('ends for good when it is closed', async () => {
    const client = open({ topics: ['devices/#'] });
    await client.connected();
    const reading = (async () => {
      let count = 0;
      for await (const _ of client.view) count += 1;
      return count;
    })();
    client.close();
    expect(await reading).toBe(1);
    expect(client.status).toMatchObject({ state: 'closed', reason: 'closed' });
    await expect(client.command('a', 'heartbeat')).rejects.toMatchObject({ code: 'closed' });
    await expect(client.subscribe('bridge/status').ready).rejects.toMatchObject({ code: 'closed' });
    client.close();
    await expect.poll(() => face.subscribers).toBe(0);
    await expect(client.connected()).rejects.toMatchObject({ code: 'closed' });
  });

  it('refuses an address that is none, and a JavaScript without WebSocket', () => {
    expect(() => connect('ftp://x', { WebSocket })).toThrow(
      expect.objectContaining({ code: 'bad_address' }) as Error,
    );
    if ('WebSocket' in globalThis) return;
    expect(() => connect('http://x')).toThrow(expect.objectContaining({ code: 'no_websocket' }) as Error);
  });
});
