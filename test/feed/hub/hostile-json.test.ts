import { afterEach, describe, expect, it } from 'vitest';
import { FeedWorld } from '../../support/feed-world.ts';
import { LinesWorld } from '../../support/lines-world.ts';

const POLLUTED = '{"polluted":true}';

/** What a client may send to turn an object of ours into another; each is one line of text. */
const HOSTILE = [
  `{"type":"subscribe","id":"1","topics":["devices/#"],"__proto__":${POLLUTED}}`,
  `{"type":"subscribe","id":"2","__proto__":{"topics":["devices/#"]}}`,
  `{"__proto__":{"type":"get_clients"}}`,
  `{"type":"__proto__"}`,
  `{"type":"constructor","payload":{"prototype":${POLLUTED}}}`,
  `{"type":"toString"}`,
  `{"type":"echo","payload":{"__proto__":${POLLUTED},"constructor":{"prototype":${POLLUTED}}}}`,
  `{"type":"broadcast","payload":{"name":"x","data":{"__proto__":${POLLUTED}}}}`,
  `{"type":"command","id":"3","device":"__proto__","message":"constructor","fields":{"__proto__":${POLLUTED}}}`,
  `{"type":"subscribe","id":"4","topics":["devices/#"],"since":{"__proto__":1,"constructor":2}}`,
  `{"type":"subscribe","id":"5","topics":["__proto__/+","constructor"],"max_hz":{"valueOf":1}}`,
  `{"type":"resume","payload":{"session":"__proto__"}}`,
  `{"type":"ack","ids":["__proto__","constructor"]}`,
  `{"type":"kick","payload":{"client_id":"__proto__"}}`,
  `{"type":"echo","payload":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
  `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
].map((text) => [text.slice(0, 60), text] as const);

const NAMES = ['polluted', 'topics', 'type', 'prototype'];
const inherited = (): readonly string[] => NAMES.filter((name) => Reflect.has({}, name));

describe('JSON that would change what an object is', () => {
  afterEach(() => expect(inherited()).toEqual([]));

  it.each(HOSTILE)('over a WebSocket: %s', async (_start, text) => {
    await using world = await FeedWorld.start();
    const other = await world.client('/ws/other');
    await other.subscribe('1', 'devices/#');
    const client = await world.client('/ws/hostile');
    client.send(text);
    client.send({ type: 'echo', id: 'after', payload: { word: 'still here' } });
    await expect.poll(() => JSON.stringify(client.messages)).toContain('still here');
    world.store.publishState('devices/a/state', { device: 'a' });
    expect((await other.next('update')).payload).toMatchObject({ topic: 'devices/a/state' });
  });

  it.each(HOSTILE)('over JSON lines: %s', async (_start, text) => {
    await using world = await LinesWorld.start();
    const client = await world.client();
    // A client that does not begin with a message is cut off, so the first one is.
    client.send({ type: 'ping' }, `${text}\n`, {
      type: 'echo',
      id: 'after',
      payload: { word: 'still here' },
    });
    await expect.poll(() => JSON.stringify(client.messages)).toContain('still here');
  });
});
