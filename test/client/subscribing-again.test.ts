import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Client, connect, type FeedItem, type Subscription } from '../../src/client/index.ts';
import { BridgeFace } from '../support/bridge-face.ts';

const TOPIC = 'devices/a/messages';

describe('a listener that subscribes within its own call', () => {
  let face: BridgeFace;
  let client: Client;

  beforeEach(async () => {
    face = await BridgeFace.open();
    client = connect(face.url, { WebSocket });
  });
  afterEach(async () => {
    client.close();
    await face[Symbol.asyncDispose]();
  });

  const numberOf = (item: FeedItem): number => (item.kind === 'event' ? Number(item.data.n) : Number.NaN);
  /** So many events, each once the one before was seen. */
  const publish = async (count: number, seen: readonly number[]): Promise<void> => {
    for (let n = 1; n <= count; n++) {
      face.store.publishEvent(TOPIC, { n });
      await expect.poll(() => seen.at(-1)).toBe(n);
    }
  };
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

  it.each([false, true])('gets every event once, in order (ack: %s)', async (ack) => {
    const seen: number[] = [];
    let own: Subscription;
    const subscribe = (): Subscription =>
      client.subscribe('devices/+/messages', {
        ack,
        onItem: (item) => {
          seen.push(numberOf(item));
          if (seen.length % 4 !== 0) return;
          own.unsubscribe();
          own = subscribe();
        },
      });
    own = subscribe();
    await own.ready;
    await publish(24, seen);
    expect(seen).toEqual(upTo(24));
  });

  it('that goes on beside the first one gets none of the items that came before it', async () => {
    const seen: string[] = [];
    const first = client.subscribe(TOPIC, {
      onItem: (item) => {
        seen.push(`first ${numberOf(item)}`);
        if (numberOf(item) === 1)
          client.subscribe(TOPIC, { onItem: (each) => seen.push(`second ${numberOf(each)}`) });
      },
    });
    await first.ready;
    face.store.publishEvent(TOPIC, { n: 1 });
    face.store.publishEvent(TOPIC, { n: 2 });
    await expect.poll(() => seen).toEqual(['first 1', 'first 2', 'second 2']);
  });

  it.each(['item', 'message'] as const)('for "%s" begins with the next item, too', async (name) => {
    const all = client.subscribe(TOPIC);
    await all.ready;
    const seen: number[] = [];
    const off = client.on(name, (...[said]) => {
      if (!('kind' in said) && said.type !== 'event') return;
      off();
      client.subscribe(TOPIC, { onItem: (item) => seen.push(numberOf(item)) });
    });
    face.store.publishEvent(TOPIC, { n: 1 });
    face.store.publishEvent(TOPIC, { n: 2 });
    await expect.poll(() => seen).toEqual([2]);
  });

  it('and ends another one: that gets nothing any more', async () => {
    const seen: string[] = [];
    const first = client.subscribe(TOPIC, {
      onItem: (item) => {
        seen.push(`first ${numberOf(item)}`);
        second.unsubscribe();
      },
    });
    const second = client.subscribe(TOPIC, { onItem: (item) => seen.push(`second ${numberOf(item)}`) });
    await Promise.all([first.ready, second.ready]);
    face.store.publishEvent(TOPIC, { n: 1 });
    face.store.publishEvent(TOPIC, { n: 2 });
    await expect.poll(() => seen.at(-1)).toBe('first 2');
    expect(seen).toEqual(['first 1', 'first 2']);
  });

  it('for changes of the view: those it takes off are not called any more', async () => {
    const states = client.subscribe('devices/+/state');
    await states.ready;
    const called: string[] = [];
    client.view.onChange(() => {
      called.push('first');
      off();
      client.view.onChange(() => called.push('new'));
    });
    const off = client.view.onChange(() => called.push('second'));
    face.store.publishState('devices/a/state', { device: 'a', status: 'online' });
    await expect.poll(() => called).toEqual(['first']);
    face.store.publishState('devices/a/state', { device: 'a', status: 'stale' });
    await expect.poll(() => called).toEqual(['first', 'first', 'new']);
  });
});
