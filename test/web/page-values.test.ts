import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/publisher.ts';
import { BridgeFace } from '../support/bridge-face.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';

const SINCE = Date.now() - 65_000;
const TWELVE = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`v${index + 1}`, index]));

describe.runIf(hasChromium)('what devices say, on the page', () => {
  let browser: Browser;
  let face: BridgeFace;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    face = await BridgeFace.open();
    page = await browser.newPage();
  });
  afterEach(async () => {
    await page?.close();
    await face?.[Symbol.asyncDispose]();
  });

  const publish = (id: string, values: JsonObject, more: JsonObject = {}): void =>
    face.store.publishState(`devices/${id}/state`, {
      device: id,
      status: 'online',
      since: SINCE,
      link: { status: 'connected', transport: 'tcp', address: '10.0.0.7:9089', since: SINCE, attempt: 0 },
      values: { telemetry: values },
      ...more,
    });
  const row = (id: string) => page.locator(`tr[data-device="${id}"]`);
  const shown = (id: string): Promise<string[]> =>
    row(id).locator('.course .value, .values > span').allTextContents();
  /** The values on the page of a device, line by line. */
  const listed = (): Promise<string[]> => page.locator('table.values caption, tr.value').allTextContents();
  const openDevice = async (id: string): Promise<void> => {
    await page.goto(`${face.url}#/devices/${id}`);
    await page.waitForSelector('body[data-feed="live"]');
    await page.waitForSelector('table.values');
  };
  const open = async (): Promise<void> => {
    await page.goto(face.url);
    await page.waitForSelector('body[data-feed="live"]');
  };

  it('an alarm stands beside the status, and its value leads the row, however many there are', async () => {
    publish('a', TWELVE, { quality: { 'telemetry.v12': 'alarm', 'telemetry.v2': 'warn' } });
    await open();
    await expect
      .poll(() => row('a').locator('.reason').textContent())
      .toBe('◆ alarm: telemetry v12 · ▲ warn: telemetry v2');
    expect(await row('a').locator('.course .value').textContent()).toBe('v12 11 ◆ alarm');
    expect(await shown('a')).toEqual([
      ...['v1 0', 'v2 1 ▲ warn', 'v3 2', 'v4 3', 'v5 4', 'and 6 more'],
      'v12 11 ◆ alarm',
    ]);
    publish('a', TWELVE);
    await expect.poll(() => row('a').locator('.reason').textContent()).toBe('');
    expect(await shown('a')).not.toContain('v12 11 ◆ alarm');
  });

  it('what is outside of its limits comes first, as in `heartwire monitor`', async () => {
    publish('a', TWELVE);
    publish('b', TWELVE, { quality: { 'telemetry.v1': 'warn' } });
    publish('c', TWELVE, { status: 'stale' });
    publish('d', TWELVE, { quality: { 'telemetry.v1': 'alarm' } });
    publish('e', TWELVE, { status: 'offline' });
    await open();
    const ids = (): Promise<Array<string | null>> =>
      page
        .locator('tr[data-device]')
        .evaluateAll((rows) => rows.map((each) => each.getAttribute('data-device')));
    await expect.poll(ids).toEqual(['e', 'd', 'c', 'b', 'a']);
    publish('a', TWELVE, { quality: { 'telemetry.v1': 'alarm' } });
    await expect.poll(ids).toEqual(['e', 'a', 'd', 'c', 'b']);
    publish('c', TWELVE, { status: 'unknown' });
    await expect.poll(ids).toEqual(['e', 'a', 'd', 'b', 'c']);
    publish('c', TWELVE, { status: 'unknown', link: { status: 'failed' } });
    await expect.poll(ids).toEqual(['c', 'e', 'a', 'd', 'b']);
  });

  it('numbers are what they are: none is rounded to nothing, and long lists are counted', async () => {
    publish('a', {
      tiny: 1.5e-300,
      small: 1e-7,
      sum: 0.1 + 0.2,
      large: Number.MAX_SAFE_INTEGER,
      huge: 1e300,
      below: -40.25,
      list: Array.from({ length: 500 }, (_, index) => index),
    });
    await openDevice('a');
    await expect
      .poll(listed)
      .toEqual([
        'telemetry',
        'tiny1.5e-300 ',
        'small1e-7 ',
        'sum0.3 ',
        'large9007199254740991 ',
        'huge1e+300 ',
        'below-40.25 ',
        expect.stringMatching(/^list500 × \[0, 1, 2, .+ 23, …\] $/),
      ]);
  });

  it('units are shown behind numbers, and messages in front of their fields', async () => {
    const values = { rig: { load: 2.5, legs: [1, 2], mode: 'idle' }, room: { load: 7 } };
    const declaration = 'k3y';
    const fields = {
      'rig.load': { unit: 'kN', decimals: 2, label: 'Force' },
      'rig.legs': { unit: 'mm' },
      'rig.mode': { unit: 'x' },
    };
    face.store.publishState(`declarations/${declaration}`, { fields });
    publish('a', {}, { values, declaration });
    publish('b', {}, { values });
    await openDevice('a');
    await expect
      .poll(listed)
      .toEqual(['rig', 'Force2.50 kN', 'legs[1, 2] mm', 'modeidle ', 'room', 'load7 ']);
    await page.click('summary:has-text("Everything")');
    await expect.poll(() => page.locator('.detail').textContent()).toContain('values.rig.load2.5 kN');
    // What is described comes late, or changes.
    face.store.publishState(`declarations/${declaration}`, { fields: { 'room.load': { unit: 'W' } } });
    await expect.poll(listed).toEqual(['rig', 'load2.5 ', 'legs[1, 2] ', 'modeidle ', 'room', 'load7 W']);
    await openDevice('b');
    await expect.poll(listed).toEqual(['rig', 'load2.5 ', 'legs[1, 2] ', 'modeidle ', 'room', 'load7 ']);
  });

  it('parts of what is stale look stale, too', async () => {
    const values = { rig: { bits: { lamp: true, horn: false }, load: 1 } };
    publish('a', {}, { values, quality: { 'rig.bits': 'stale' }, status: 'offline' });
    await open();
    await expect
      .poll(() => shown('a'))
      .toEqual(['bits.lamp true ▲ stale', 'bits.horn false ▲ stale', 'load 1']);
    expect(await row('a').locator('.value[data-quality="stale"]').count()).toBe(2);
  });

  it('a device that knows no heartbeat tells its last frame', async () => {
    publish('a', {});
    face.store.publishState('devices/a/stats', { last_frame_at: SINCE });
    await open();
    await expect.poll(() => row('a').locator('.beat').textContent()).toContain('1 min ago');
    expect(await row('a').locator('.beat').getAttribute('title')).toBe('last frame');
  });

  it.each([360, 700, 1_060, 1_100, 1_280, 1_400])('all of it fits into %i pixels', async (width) => {
    const id = 'a-name-as-long-as-it-may-be-with-its-own-at-the-end-0123456789-1';
    const name = 'a_field_with_a_very_long_name_that_goes_on';
    const values = {
      [name]: -123456.789,
      serial_number: '18446744073709551615',
      label: 'x'.repeat(500),
      samples: Array.from({ length: 500 }, (_, index) => index),
    };
    const quality = Object.fromEntries(Object.keys(values).map((each) => [`telemetry.${each}`, 'stale']));
    publish(id, values, { quality });
    await page.setViewportSize({ width, height: 800 });
    await open();
    await expect.poll(() => row(id).count()).toBe(1);
    const wide = (): Promise<unknown> => page.evaluate('document.documentElement.scrollWidth');
    await expect.poll(wide).toBe(width);
    await openDevice(id);
    await expect.poll(async () => (await listed()).length).toBe(5);
    await expect.poll(wide).toBe(width);
    const cut = (selector: string): Promise<unknown> =>
      page
        .locator(selector)
        .first()
        .evaluate((node) => node.scrollWidth > node.clientWidth);
    expect({ id: await cut('.device-page h2'), number: await cut('tr.value .number') }).toEqual({
      id: false,
      number: false,
    });
  });
});
