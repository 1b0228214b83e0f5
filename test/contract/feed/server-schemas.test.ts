import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { SERVER_MESSAGES } from '../../../src/contract/feed/server-messages.ts';
import { encodeFrame } from '../../../src/protocol/codec.ts';
import { DeviceWatcher } from '../../support/device-watcher.ts';
import { checkServerMessage, checkTopicDocument } from '../../support/feed-contract.ts';
import { FeedWorld } from '../../support/feed-world.ts';
import { startBridge } from '../../support/test-bridge.ts';

const VERSION = { topic: 'a', epoch: 'e', rev: 1, seq: 1 };
const envelope = (type: string, payload: object) => ({ type, id: 'm1', timestamp: 0, payload });

describe('the schemas of what the server sends', () => {
  it('hold for every type of message, as a server sends it', async () => {
    await using world = await FeedWorld.start();
    world.store.publishState('a', { x: 1 });
    // Clients of this world check all that they hear.
    const client = await world.client();
    await client.subscribe('1', 'a', 'b');
    client.send({ type: 'subscribe', id: '2', topics: ['c'], json_ping: true, ack: true });
    await client.next('synced');
    world.store.publishState('a', { x: 2 });
    world.store.publishEvent('b', { y: 1 });
    world.store.publishEvent('c', { y: 2 });
    world.store.removeState('a');
    for (const type of ['ping', 'echo', 'get_clients', 'foo']) client.send({ type, id: type });
    client.send({ type: 'broadcast', id: 'b', data: null });
    client.send({ type: 'unsubscribe', id: 'u', topics: ['b'] });
    await client.next('response');
    world.clock.advance(20_000);
    await client.next('ping');
    // Never acknowledged, it is given up in the end.
    for (let tries = 0; tries < 6; tries++) {
      world.clock.advance(30_000);
      client.send({ type: 'ping', id: `t${tries}` });
      await expect.poll(() => JSON.stringify(client.messages)).toContain(`"reply_to":"t${tries}"`);
    }
    await client.next('gap');
    await world[Symbol.asyncDispose]();
    await client.closed;
    const seen = new Set<string>(client.messages.map(({ type }) => type));
    expect(Object.keys(SERVER_MESSAGES).filter((type) => !seen.has(type))).toEqual([]);
  });

  it('hold for what the topics of a bridge hold', async () => {
    await using bridge = await startBridge('devices: []\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n');
    // It checks all that it hears, and every document.
    await using watcher = await DeviceWatcher.connect(bridge.url, [
      '#',
      'devices/490154203237518/messages',
      'devices/+/bytes',
    ]);
    const socket = connect(bridge.devicePort, '127.0.0.1');
    await once(socket, 'connect');
    const fields = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' };
    socket.write(encodeFrame({ name: 'register', kind: 'request', fields }));
    const heard = (topic: string) => () => JSON.stringify(watcher.messages).includes(`"topic":"${topic}"`);
    await expect.poll(heard('devices/490154203237518/state')).toBe(true);
    socket.write(encodeFrame({ name: 'heartbeat', kind: 'request' }));
    for (const last of ['stats', 'messages', 'bytes']) {
      await expect.poll(heard(`devices/490154203237518/${last}`)).toBe(true);
    }
    for (const message of watcher.messages) {
      if (message.type === 'event') checkTopicDocument(message.payload.topic, message.payload.data);
    }
    expect(heard('bridge/status')()).toBe(true);
    socket.destroy();
  });

  it.each([
    ['a key that is not declared', envelope('event', { ...VERSION, data: {}, more: 1 })],
    ['a key that is missing', envelope('event', { ...VERSION })],
    ['a type that there is not', envelope('foo', {})],
    ['an update that is both', envelope('update', { ...VERSION, full: true, state: {}, removed: true })],
    ['a code that is none', envelope('error', { code: 'foo', message: '', retry: false })],
    ['no id', { type: 'ping', timestamp: 0, payload: { server_time: 1 } }],
  ])('do not hold for %s', (_, message) => {
    expect(() => checkServerMessage(message)).toThrow();
  });

  it('do not hold for a document with an unknown key, or at an unknown topic', () => {
    expect(() => checkTopicDocument('devices/a/state', { device: 'a', sttaus: 'online' })).toThrow();
    expect(() => checkTopicDocument('elsewhere', {})).toThrow();
  });
});
