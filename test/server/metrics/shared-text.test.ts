import { describe, expect, it } from 'vitest';
import { StateAxes } from '../../../src/devices/core/state-document.ts';
import { Stats } from '../../../src/devices/core/stats.ts';
import { FeedStore } from '../../../src/feed/core/store.ts';
import { FeedServer } from '../../../src/feed/transports/feed-server.ts';
import { KEPT_MS, LARGEST_FRESH } from '../../../src/server/http/device-list.ts';
import { BridgeMetrics } from '../../../src/server/metrics/bridge-metrics.ts';
import { LogCounts } from '../../../src/system/index.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function world(devices: number) {
  const clock = new FakeClock();
  const store = new FeedStore({ epoch: 'e' });
  const feed = new FeedServer({ store, clock, host: '127.0.0.1', hosts: [], origins: [] });
  /** How many devices were looked at. */
  const work = { readings: 0 };
  const metrics = new BridgeMetrics({
    version: '0',
    nodeVersion: '0',
    clock,
    logCounts: new LogCounts(),
    omittedLines: () => ({}),
    store,
    perDevice: true,
    values: [],
    *all() {
      for (let at = 0; at < devices; at++) {
        work.readings++;
        const id = `d${at}`;
        const stats = new Stats();
        const state = new StateAxes({ device: id, transport: 'tcp' }, 0, { values: {}, quality: {} })
          .document;
        yield { reading: { id, state, counts: stats.counts, tally: stats.tally, bytesOut: 0 } };
      }
    },
    isConfigured: () => true,
    deviceListeners: () => [],
    buses: () => [],
    subscriberRegistry: () => feed.subscriberRegistry,
    configStatus: () => ({}),
    recorder: () => undefined,
    uploads: () => undefined,
    outputs: () => undefined,
  });
  return { clock, metrics, work, [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose]() };
}

describe('the text of the metrics', () => {
  it.each([1, LARGEST_FRESH + 1, 1_000])(
    'of %d devices is rendered once for all who ask at the same time',
    async (devices) => {
      await using made = world(devices);
      const { metrics, work } = made;
      const texts = await Promise.all(Array.from({ length: 200 }, () => metrics.text()));
      expect(new Set(texts).size).toBe(1);
      expect(work.readings).toBe(devices);
    },
  );

  it('of many devices is rendered once a second, however many scrapers there are', async () => {
    const devices = LARGEST_FRESH + 1;
    await using made = world(devices);
    const { clock, metrics, work } = made;
    const first = await metrics.text();
    clock.advance(KEPT_MS - 1);
    expect(await metrics.text()).toBe(first);
    expect(work.readings).toBe(devices);
    clock.advance(1);
    expect(await metrics.text()).not.toBe(first);
    expect(await metrics.text()).toBe(await metrics.text());
    expect(work.readings).toBe(2 * devices);
  });

  it('of few devices is that of now', async () => {
    await using made = world(LARGEST_FRESH);
    const { metrics, work } = made;
    const first = await metrics.text();
    expect(await metrics.text()).not.toBe(first);
    expect(work.readings).toBe(2 * LARGEST_FRESH);
  });
});
