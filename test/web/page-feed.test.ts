import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/publisher.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { ScriptedFeed } from '../support/scripted-feed.ts';

const TOPIC = 'devices/a/state';
const item = (seq: number, state: JsonObject, more: JsonObject = {}): JsonObject => ({
  topic: TOPIC,
  epoch: 'one',
  rev: seq,
  seq,
  state: { device: 'a', link: { status: 'connected', transport: 'tcp', since: 1, attempt: 0 }, ...state },
  ...more,
});

describe.runIf(hasChromium)('the page on the feed', () => {
  let browser: Browser;
  let feed: ScriptedFeed;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    feed = new ScriptedFeed();
    await feed.start();
    page = await browser.newPage();
  });
  afterEach(async () => {
    await page?.close();
    await feed?.[Symbol.asyncDispose]();
  });

  const word = (): Promise<string | null> => page.locator('tr[data-device="a"] .badge .word').textContent();
  const reason = (): Promise<string | null> =>
    page.locator('tr[data-device="a"] .reason').first().textContent();
  const phase = (): Promise<string | null> => page.locator('body').getAttribute('data-feed');
  const subscribed = async (times: number): Promise<void> => {
    await expect.poll(() => feed.asked('subscribe').length).toBe(times);
  };
  const open = async (...items: JsonObject[]): Promise<void> => {
    await page.goto(feed.url);
    await subscribed(1);
    feed.sync(items);
    await expect.poll(phase).toBe('live');
  };

  it('asks for what it shows at the rate of people, and for pings that it can see', async () => {
    await open();
    expect(feed.asked('subscribe')).toEqual([
      {
        type: 'subscribe',
        id: '1',
        topics: ['devices/+/state', 'devices/+/stats', 'bridge/status'],
        max_hz: 4,
        json_ping: true,
      },
    ]);
  });

  it('follows a device that is opened at its full rate, and gives that up when it is left', async () => {
    await open(item(4, { status: 'online' }));
    await page.locator('tr[data-device] a').first().click();
    const own = (): unknown[] => feed.asked('subscribe').filter(({ max_hz }) => max_hz === undefined);
    await expect
      .poll(() => own().map((asked) => (asked as JsonObject).topics))
      .toEqual([[TOPIC], [TOPIC.replace(/state$/, 'stats')]]);
    await page.goBack();
    await expect.poll(() => feed.asked('unsubscribe').flatMap(({ topics }) => topics)).toContain(TOPIC);
  });

  it('goes on from its position when it comes back, and keeps what did not change', async () => {
    await open(item(4, { status: 'online' }));
    feed.say('position', { position: { one: 9 } });
    feed.say('update', { topic: TOPIC, epoch: 'one', rev: 10, seq: 5, prev: 4, patch: { status: 'stale' } });
    await expect.poll(word).toBe('stale');
    feed.close(4000);
    await subscribed(2);
    const [, second] = feed.asked('subscribe');
    expect(second?.since).toEqual({ one: 9 });
    feed.sync([], { mode: 'since', position: { one: 10 } });
    await expect.poll(phase).toBe('live');
    await expect.poll(() => word()).toBe('stale');
  });

  it('applies a patch to the document that it was made from, and to no other', async () => {
    await open(item(4, { status: 'online', reason: 'why' }));
    feed.say('update', {
      topic: TOPIC,
      epoch: 'one',
      rev: 5,
      seq: 5,
      prev: 4,
      patch: { status: 'stale', reason: null },
    });
    await expect.poll(word).toBe('stale');
    await expect.poll(() => reason()).toBe('');

    // Old news, whole or not, changes nothing; a gap and a foreign patch ask again, once.
    feed.say('update', { ...item(5, { status: 'offline' }), full: true });
    feed.say('update', { topic: TOPIC, epoch: 'one', rev: 4, seq: 4, prev: 3, patch: { status: 'offline' } });
    feed.say('update', { topic: TOPIC, epoch: 'one', rev: 8, seq: 8, prev: 7, patch: { status: 'offline' } });
    feed.say('update', { topic: TOPIC, epoch: 'two', rev: 1, seq: 9, prev: 5, patch: { status: 'offline' } });
    await expect.poll(() => feed.asked('resync')).toEqual([{ type: 'resync', id: '2', topics: [TOPIC] }]);
    await expect.poll(() => word()).toBe('stale');

    feed.say('snapshot', { reply_to: '2', items: [item(8, { status: 'away' })], removed: [] });
    await expect.poll(word).toBe('away');
    feed.say('update', { topic: TOPIC, epoch: 'one', rev: 9, seq: 9, prev: 8, patch: { status: 'online' } });
    await expect.poll(word).toBe('online');
    expect(feed.asked('resync').length).toBe(1);
  });

  it('takes a whole document of another epoch', async () => {
    await open(item(90, { status: 'online' }));
    feed.say('update', { ...item(2, { status: 'registering' }, { epoch: 'two' }), full: true });
    await expect.poll(word).toBe('registering');
  });

  it('goes on counting where a removed device returns', async () => {
    await open(item(4, { status: 'online' }));
    feed.say('update', { topic: TOPIC, epoch: 'one', rev: 5, seq: 5, removed: true });
    await expect.poll(() => page.locator('tr[data-device]').count()).toBe(0);
    feed.say('update', { ...item(5, { status: 'offline' }), full: true });
    feed.say('update', { ...item(6, { status: 'stale' }), full: true });
    await expect.poll(word).toBe('stale');
  });

  it('waits as long as the bridge asked for before it comes back', async () => {
    await page.clock.install();
    await open(item(4, { status: 'online' }));
    feed.say('closing', { code: 4000, reason: 'draining', reconnect: true, retry_after_ms: 3_600_000 });
    await expect.poll(phase).toBe('lost');
    await expect
      .poll(() => page.locator('#note').textContent())
      .toMatch(/It said: draining\. Next try in 3\d{3} s\./);
    await page.clock.fastForward(3_000_000);
    expect(feed.connections).toBe(1);
    await page.clock.fastForward(700_000);
    await subscribed(2);
    feed.sync([]);
    await expect.poll(phase).toBe('live');
    await expect.poll(() => page.locator('tr[data-device]').count()).toBe(0);
  });

  it('stays away where the bridge wants it to, until it is told otherwise', async () => {
    await page.clock.install();
    await open(item(4, { status: 'online' }));
    feed.close(4503);
    await expect.poll(phase).toBe('lost');
    await page.clock.fastForward(3_600_000);
    expect(feed.connections).toBe(1);
    await expect.poll(() => page.locator('#note').textContent()).toContain('come back by itself');
    await page.click('#retry');
    await subscribed(2);
  });

  it('takes a bridge for lost that says nothing any more, and says so before it gives it up', async () => {
    await page.clock.install();
    await open(item(4, { status: 'online' }));
    await page.clock.runFor(40_000);
    feed.say('ping', { server_time: Date.now() });
    feed.say('update', { ...item(5, { status: 'stale' }), full: true });
    await expect.poll(word).toBe('stale');
    await page.clock.runFor(25_000);
    expect(await phase()).toBe('live');
    // No word for longer than there ever should be: what is shown may be old, though the connection is kept.
    await page.clock.runFor(6_000);
    await expect.poll(phase).toBe('lost');
    expect(feed.connections).toBe(1);
    await expect.poll(() => feed.asked('ping').length).toBeGreaterThan(0);
    feed.say('pong', {});
    await expect.poll(phase).toBe('live');
    await page.clock.runFor(46_000);
    await expect.poll(phase).toBe('lost');
    await page.clock.runFor(5_000);
    await subscribed(2);
  });

  it('gives up a connection on which nothing is ever said', async () => {
    const silent = feed.say.bind(feed);
    feed.say = () => {};
    await page.clock.install();
    await page.goto(feed.url);
    await expect.poll(() => feed.connections).toBe(1);
    await page.clock.fastForward(11_000);
    await expect.poll(phase).toBe('lost');
    feed.say = silent;
    await page.clock.fastForward(30_000);
    await subscribed(1);
  });
});
