import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/publisher.ts';
import { BridgeFace } from '../support/bridge-face.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';

const SINCE = Date.now() - 65_000;
const STATUSES = ['online', 'stale', 'offline', 'registering', 'away', 'unknown'];

describe.runIf(hasChromium)('what the page promises', () => {
  let browser: Browser;
  let face: BridgeFace;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    face = await BridgeFace.open();
    page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  });
  afterEach(async () => {
    await page?.close();
    await face?.[Symbol.asyncDispose]();
  });

  const publish = (id: string, more: JsonObject = {}): void =>
    face.store.publishState(`devices/${id}/state`, {
      device: id,
      status: 'online',
      since: SINCE,
      link: { status: 'connected', transport: 'tcp', address: '10.0.0.7:9089', since: SINCE, attempt: 0 },
      values: { rig: { load: 1.5 } },
      ...more,
    });
  const open = async (hash = ''): Promise<void> => {
    await page.goto(`${face.url}${hash}`);
    await page.waitForSelector('body[data-feed="live"]');
  };

  it('at least 25 rows stand on 900 pixels', async () => {
    for (let index = 0; index < 40; index++) publish(`d-${index}`);
    await open();
    await page.waitForSelector('tr[data-device]');
    const whole = (): Promise<number> =>
      page
        .locator('tr[data-device]')
        .evaluateAll(
          (rows) => rows.filter((row) => row.getBoundingClientRect().bottom <= innerHeight).length,
        );
    await expect.poll(whole).toBeGreaterThanOrEqual(25);
  });

  it('every status has a word and a shape of its own, so that no colour is needed', async () => {
    for (const status of STATUSES) publish(status, { status });
    await open();
    await expect.poll(() => page.locator('tr[data-device]').count()).toBe(STATUSES.length);
    const seen = await page
      .locator('tr[data-device] .badge')
      .evaluateAll((badges) =>
        badges.map((badge) => ({ word: badge.textContent, shape: badge.querySelector('svg')?.innerHTML })),
      );
    expect(new Set(seen.map(({ word }) => word)).size).toBe(STATUSES.length);
    expect(new Set(seen.map(({ shape }) => shape)).size).toBe(STATUSES.length);
  });

  it('a print has the devices and how true they are, and no tools', async () => {
    publish('a');
    await open();
    await page.waitForSelector('tr[data-device="a"]');
    await page.emulateMedia({ media: 'print' });
    const visible = (selector: string): Promise<boolean> => page.locator(selector).first().isVisible();
    expect(await visible('tr[data-device="a"]')).toBe(true);
    expect(await visible('#sign')).toBe(true);
    for (const tool of ['.top nav', '.toolbar', '.settings']) expect(await visible(tool)).toBe(false);
  });

  it.each([390, 1_280, 1_680])('a long number keeps its first digits within %i pixels', async (width) => {
    publish('a', { values: { location: { latitude: 31.177043888888889, longitude: 121.4 } } });
    await page.setViewportSize({ width, height: 800 });
    await open();
    const number = page.locator('tr[data-device="a"] .course .value b').first();
    await expect.poll(() => number.textContent()).toMatch(/^31\.177/);
    const cell = await page.locator('tr[data-device="a"] .course').boundingBox();
    const box = await number.boundingBox();
    expect(box?.x ?? 0).toBeGreaterThanOrEqual(cell?.x ?? Number.NaN);
    // Room for what is before the point, at least.
    expect(box?.width ?? 0).toBeGreaterThan(40);
  });

  it('a print has every row, beyond what a screen shows', async () => {
    for (let index = 0; index < 120; index++) publish(`d-${index}`);
    await open();
    const drawn = (): Promise<number> => page.locator('tr[data-device]').count();
    await expect.poll(drawn).toBeGreaterThan(20);
    expect(await drawn()).toBeLessThan(120);
    await page.evaluate('dispatchEvent(new Event("beforeprint"))');
    await expect.poll(drawn).toBe(120);
    await page.evaluate('dispatchEvent(new Event("afterprint"))');
    await expect.poll(drawn).toBeLessThan(120);
  });

  it('a browser takes its manifest without a complaint', async () => {
    await open();
    const session = await page.context().newCDPSession(page);
    const { data = '', errors } = await session.send('Page.getAppManifest');
    expect(errors).toEqual([]);
    const manifest = JSON.parse(data);
    expect(manifest).toMatchObject({ name: expect.any(String), display: 'standalone' });
    expect((await fetch(new URL(manifest.icons[0].src, face.url))).status).toBe(200);
  });

  it('outputs stand on the page of the bridge with their state, counts and reason', async () => {
    face.store.publishState('bridge/status', {
      version: '1.2.3',
      history: { file: '/var/lib/heartwire/devices.db', state: 'running', bytes: 2_048, dropped: 0 },
      outputs: [
        {
          kind: 'influx',
          url: 'http://127.0.0.1:8086',
          status: 'backoff',
          since: SINCE,
          reason: 'output_unreachable',
          detail: 'connect ECONNREFUSED 127.0.0.1:8086',
          retry_at: Date.now() + 600_000,
          sent: 81_200,
          lost: 7,
          waiting: 431,
        },
        {
          kind: 'mqtt',
          url: 'mqtt://127.0.0.1:1883',
          status: 'ready',
          since: SINCE,
          sent: 3,
          lost: 0,
          waiting: 0,
        },
      ],
      backplane: { status: 'ready', since: SINCE, instance: 'north', instances: [{ instance: 'south' }] },
    });
    await open('#/bridge');
    const rows = page.locator('#outputs tbody tr');
    await expect.poll(() => rows.count()).toBe(2);
    await expect
      .poll(() => rows.first().textContent())
      .toMatch(/influx.*8086.*tried again.*output unreachable: connect ECONNREFUSED.*81,200.*431.*7/s);
    expect(await rows.last().textContent()).toMatch(/mqtt.*ready/s);
    await expect
      .poll(() => page.locator('#backplane').textContent())
      .toMatch(/ready.*instance.*north.*south/s);
    await expect
      .poll(() => page.locator('.facts').first().textContent())
      .toContain('/var/lib/heartwire/devices.db');
  });

  it.each([
    '#/',
    '#/?view=tiles',
    '#/devices/a',
    '#/plots',
    '#/inspect?device=a',
    '#/incidents',
    '#/events',
    '#/bridge',
  ])('nothing of %s stands beyond the edge of a phone', async (hash) => {
    await page.setViewportSize({ width: 390, height: 780 });
    publish('a');
    face.store.publishState('buses/rs485-1/state', {
      bus: 'rs485-1',
      link: { status: 'connected', transport: 'serial', address: '/dev/ttyUSB0', since: SINCE, attempt: 0 },
      devices: ['meter-1', 'meter-2', 'meter-3'],
      wrong_device: 0,
    });
    face.store.publishState('bridge/status', {
      listeners: [{ address: '127.0.0.1:39173', status: 'listening', connections: 2, refused: 0 }],
      outputs: [
        {
          kind: 'influx',
          url: 'http://127.0.0.1:8086',
          status: 'ready',
          since: SINCE,
          sent: 1,
          lost: 0,
          waiting: 0,
        },
      ],
    });
    await open(hash);
    await page.locator('main > *:not(p)').first().waitFor({ state: 'attached' });
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  });
});
