import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FrameCounter } from '../../../bench/support/frame-counter.ts';
import { Audience } from '../../../src/feed/core/audience.ts';
import { FeedStore } from '../../../src/feed/core/store.ts';
import { Subscriptions } from '../../../src/feed/core/subscriptions.ts';
import { FeedWorld } from '../../support/feed-world.ts';
import { plainFramer } from '../../support/plain-framer.ts';
import { ReturningClient } from '../../support/returning-client.ts';
import { ThrottlingProxy } from '../../support/throttling-proxy.ts';

const EVENTS = 'devices/d0/messages';
/** On a machine with many times as much to do as it has cores. */
const PATIENCE_MS = 60_000;

describe('a subscriber at one byte a second', () => {
  it('costs bounded memory, holds up no other, and converges once its line is fixed', async () => {
    await using world = await FeedWorld.start();
    await using proxy = await ThrottlingProxy.start(world.port);
    using slow = new ReturningClient({ url: `ws://127.0.0.1:${proxy.port}/ws`, topics: ['#'] });
    const fast = await world.client();
    await fast.subscribe('1', '#');
    await expect.poll(() => slow.synced).toBe(true);
    proxy.bytesPerSecond = 1;
    let most = 0;
    for (let round = 1; round <= 2_000; round++) {
      world.store.publishState(`devices/d${round % 4}/state`, { round, big: 'x'.repeat(16_000) });
      world.store.publishEvent(EVENTS, { round });
      await turn();
      most = Math.max(most, world.feed.heldBytes);
    }
    expect(most).toBeLessThan(2 * 1024 * 1024);
    await expect.poll(() => fast.view.events.get(EVENTS)?.length, { timeout: 10_000 }).toBe(2_000);
    expect(fast.view.gaps).toEqual([]);
    proxy.bytesPerSecond = Number.POSITIVE_INFINITY;
    const present = Object.fromEntries(world.store.documents('#').map((each) => [each.topic, each.document]));
    await expect.poll(() => slow.documents(), { timeout: 20_000 }).toEqual(present);
    await expect.poll(() => slow.unaccounted(EVENTS, 2_000), { timeout: 20_000 }).toEqual([]);
    expect(slow.breaches).toEqual([]);
  });
});

describe('a flood of pings', () => {
  it('is read one a turn of the loop, so that the others have their turn in between', async () => {
    await using world = await FeedWorld.start();
    const flood = await world.raw();
    const pings = 300;
    let pongs = 0;
    flood.socket.on('data', (chunk: Buffer) => {
      pongs += chunk.toString('latin1').split('\x8a\x00').length - 1;
    });
    flood.socket.resume();
    flood.socket.write(
      Buffer.concat(Array.from({ length: pings }, () => Buffer.from('898000000000', 'hex'))),
    );
    // Of those that are read in the same turn only the last one is answered.
    await expect.poll(() => pongs, { timeout: 10_000 }).toBe(pings);
  });
});

describe('ten thousand subscriptions', () => {
  it('cost a publisher nothing where they do not match, and hear what they do', () => {
    const store = new FeedStore({ epoch: 'e' });
    let passes = 0;
    const audience = new Audience(store, plainFramer, {
      pending: () => void passes++,
      paced: () => undefined,
      overfull: () => undefined,
    });
    const now = { monoMs: 0, wallMs: 0 };
    const written: number[] = [];
    for (let client = 0; client < 40; client++) {
      const sink = { unsent: 0, write: () => written.push(client) && 0 };
      const patterns = Array.from({ length: 250 }, (_, n) => `devices/c${client}-${n}/+`);
      audience.assign(audience.admit(sink), new Subscriptions(patterns), now);
    }
    passes = 0;
    for (let n = 0; n < 1_000; n++) store.publishState(`devices/unheard-${n}/state`, { n });
    expect(passes).toBe(0);
    store.publishState('devices/c7-9/state', {});
    expect(passes).toBe(1);
    for (const subscriber of audience.pass()) subscriber.flush(now);
    expect(written).toEqual([7]);
  });
});

describe('a burst to a hundred subscribers of which ten do not read', () => {
  it(
    'reaches the fast ones whole; the slow ones converge and know what they missed',
    async () => {
      const messages = 5_000;
      await using world = await FeedWorld.start();
      const slow = await Promise.all(Array.from({ length: 10 }, () => world.client()));
      for (const client of slow) {
        await client.subscribe('1', 'devices/#');
        client.socket.pause();
      }
      const counters: FrameCounter[] = [];
      for (let count = 0; count < 90; count++) {
        const raw = await world.raw();
        const counter = new FrameCounter();
        counters.push(counter);
        raw.socket.on('data', (chunk: Buffer) => counter.feed(chunk));
        raw.socket.resume();
        raw.send({ type: 'subscribe', topics: ['devices/#'] });
      }
      // The welcome came before; the snapshot and its end follow.
      await expect
        .poll(() => counters.every(({ frames }) => frames === 2), { timeout: PATIENCE_MS })
        .toBe(true);
      const text = 'x'.repeat(2_000);
      let most = 0;
      for (let n = 1; n <= messages; n++) {
        world.store.publishEvent(EVENTS, { n, text });
        if (n % 50 !== 0) continue;
        world.store.publishState('devices/d0/state', { n });
        do {
          await turn();
          most = Math.max(most, world.feed.heldBytes);
        } while (counters.some(({ frames }) => frames < n));
      }
      const frames = 2 + messages + messages / 50;
      await expect
        .poll(() => counters.filter((each) => each.frames < frames).length, { timeout: PATIENCE_MS })
        .toBe(0);
      expect(counters.every((each) => each.frames === frames)).toBe(true);
      // 1 MiB of events, the high-water mark and one flush above it, each.
      expect(most).toBeLessThan(10 * 1.4 * 1024 * 1024 + 90 * 200_000);
      for (const { socket } of slow) socket.resume();
      for (const { view } of slow) {
        await expect
          .poll(() => view.documents(), { timeout: PATIENCE_MS })
          .toEqual({
            'devices/d0/state': { n: messages },
          });
        const missed = (): number => view.gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0);
        await expect
          .poll(() => (view.events.get(EVENTS)?.length ?? 0) + missed(), { timeout: PATIENCE_MS })
          .toBe(messages);
        expect(missed()).toBeGreaterThan(0);
        expect(view.breaches).toEqual([]);
      }
    },
    4 * PATIENCE_MS,
  );
});
