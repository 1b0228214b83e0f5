import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/publisher.ts';
import { BridgeFace } from '../support/bridge-face.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';

const SINCE = Date.now() - 65_000;
const LINK = { status: 'connected', transport: 'tcp', address: '10.0.0.7:9089', since: SINCE, attempt: 0 };

const device = (id: string, more: JsonObject = {}): JsonObject => ({
  device: id,
  status: 'online',
  since: SINCE,
  link: LINK,
  ...more,
});

describe.runIf(hasChromium)('the page', () => {
  let browser: Browser;
  let face: BridgeFace;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    face = await BridgeFace.open();
    page = await browser.newPage();
    complaints = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) complaints.push(message.text());
    });
  });
  afterEach(async () => {
    await page?.close();
    await face?.[Symbol.asyncDispose]();
    expect(complaints).toEqual([]);
  });

  it('says so where a device is encrypted', async () => {
    face.store.publishState('devices/vault-1/state', { $jwe: 'eyJhbGciOiJkaXIifQ..a.b.c' });
    await page.goto(face.url);
    await expect
      .poll(() => row('vault-1').textContent())
      .toMatch(/unknown.*encrypted; this page has no key/s);
    expect(await row('vault-1').textContent()).not.toContain('eyJ');
  });

  const publish = (id: string, more?: JsonObject): void =>
    face.store.publishState(`devices/${id}/state`, device(id, more));
  const row = (id: string) => page.locator(`tr[data-device="${id}"]`);
  const text = (selector: string): Promise<string | null> => page.locator(selector).textContent();
  const ids = (): Promise<Array<string | null>> =>
    page
      .locator('tr[data-device]:visible')
      .evaluateAll((rows) => rows.map((each) => each.getAttribute('data-device')));
  const open = async (): Promise<void> => {
    await page.goto(face.url);
    await page.waitForSelector('body[data-feed="live"]');
  };

  it('shows every device with both axes, and follows what changes', async () => {
    publish('psu-10', {
      identity: { appid: '996da38d-a7be-4947-aa4c-f8208b5f4ade', imei: '869858030720693' },
      clock: { offset_ms: -320, bound_ms: 502, samples: 1 },
      values: { telemetry: { temperature: 23.14, door_open: false } },
      quality: { 'telemetry.temperature': 'warn' },
    });
    publish('psu-2');
    face.store.publishState('devices/psu-2/stats', { last_heartbeat_at: SINCE, round_trip_ms: 1.84 });
    await open();
    // What is outside of its limits comes first.
    await expect.poll(() => ids()).toEqual(['psu-10', 'psu-2']);
    await page.selectOption('#order', 'name');
    await expect.poll(() => ids()).toEqual(['psu-2', 'psu-10']);
    const shown = await row('psu-10').textContent();
    for (const part of [
      'online',
      'for 1 min',
      'connected',
      'tcp 10.0.0.7:9089',
      '23.14',
      '▲ warn',
      'door open',
      'false',
    ]) {
      expect(shown).toContain(part);
    }
    await expect.poll(() => row('psu-2').textContent()).toContain('1.8 ms round trip');
    await row('psu-10').locator('a').click();
    const facts = (): Promise<string | null> => text('.facts');
    await expect.poll(facts).toContain('869858030720693');
    for (const part of ['−320 ms', '± 502 ms']) expect(await facts()).toContain(part);
    await page.goBack();
    await expect.poll(() => page.title()).toBe('2/2 online · Heartwire');

    publish('psu-2', {
      status: 'offline',
      since: Date.now(),
      reason: 'silent',
      detail: 'nothing for 10 s',
      link: { ...LINK, status: 'backoff', since: Date.now(), attempt: 3, reason: 'connect_refused' },
    });
    await expect.poll(() => row('psu-2').textContent()).toContain('offline');
    const after = await row('psu-2').textContent();
    expect(after).toContain('silent: nothing for 10 s');
    expect(after).toContain('attempt 3 · connect refused');
    await expect.poll(() => text('#counts li:has-text("Offline") b')).toBe('1');
  });

  it('tells ages by the clock of the bridge, and lets them tick', async () => {
    publish('a', { since: Date.now() });
    await open();
    const age = (): Promise<string | null> => row('a').locator('.status .age').textContent();
    const first = await age();
    await expect.poll(age).not.toBe(first);
    await expect.poll(() => age()).toMatch(/^for \d+ s$/);
  });

  it('takes away devices that are removed, and explains what to do when there is none', async () => {
    face.store.publishState('bridge/status', {
      listeners: [{ address: '127.0.0.1:9089', status: 'listening' }],
      not_registered: [{ address: '10.0.0.9:51234', since: SINCE }],
      not_registered_count: 1,
    });
    publish('a');
    await open();
    await expect.poll(() => text('#note')).toBe('listening on 127.0.0.1:9089 · 1 connection without a name');
    await expect.poll(() => text('#unnamed')).toContain('10.0.0.9:51234');
    face.store.removeState('devices/a/state');
    await page.waitForSelector('#empty:visible');
    await expect.poll(() => text('#empty')).toContain('simulate --connect 127.0.0.1:9089');
    publish('a', { status: 'stale' });
    await expect.poll(() => row('a').textContent()).toContain('stale');
    await expect.poll(() => page.locator('#empty').isVisible()).toBe(false);
  });

  it('shows hostile strings as text', async () => {
    const evil = '<img src=x onerror="document.title=1">';
    publish('a', {
      reason: evil,
      identity: { appid: '</td></table><script>document.title=2</script>', imei: evil },
      link: { ...LINK, address: evil, detail: 'x'.repeat(5_000) },
      values: { [evil]: { ['__proto__']: evil } },
      quality: { constructor: 'warn' },
    });
    await open();
    await expect.poll(() => row('a').textContent()).toContain(evil);
    await row('a').locator('a').click();
    await page.click('summary:has-text("Everything")');
    await expect.poll(() => text('.detail')).toContain('</script>');
    await expect.poll(() => page.locator('main img, main script').count()).toBe(0);
    await expect.poll(() => page.title()).toBe('1/1 online · Heartwire');
  });

  it('finds devices by any word, and by status', async () => {
    publish('rack-1', { identity: { appid: 'x', imei: '111' } });
    publish('rack-2', { status: 'offline', reason: 'silent' });
    publish('scale', { status: 'offline' });
    await open();
    await page.fill('#search', 'rack');
    await expect.poll(() => ids()).toEqual(['rack-2', 'rack-1']);
    await page.click('#counts button:has-text("Offline")');
    await expect.poll(() => ids()).toEqual(['rack-2']);
    await page.fill('#search', 'nowhere');
    await expect
      .poll(() => text('#no-match-text'))
      .toBe('None of the 3 devices is offline and shows “nowhere”.');
    await page.fill('#search', '');
    await page.click('#counts button:has-text("All")');
    await expect.poll(() => ids()).toEqual(['rack-2', 'scale', 'rack-1']);
    await page.click('th button:has-text("Device")');
    await expect.poll(() => ids()).toEqual(['rack-1', 'rack-2', 'scale']);
    // The address says it all: another tab shows the same.
    await page.fill('#search', 'rack');
    await page.reload();
    await expect.poll(() => ids()).toEqual(['rack-1', 'rack-2']);
    await page.keyboard.press('Escape');
  });

  it('says loudly that the bridge is lost, and comes back to the present by itself', async () => {
    publish('a');
    publish('gone');
    await open();
    const { port } = face;
    await face[Symbol.asyncDispose]();
    await page.waitForSelector('body[data-feed="lost"]');
    await expect.poll(() => text('#sign')).toBe('Bridge lost');
    await expect.poll(() => text('#note')).toMatch(/^All below is last known, from .+ ago\)/);
    await expect.poll(() => page.title()).toContain('BRIDGE LOST');
    await expect.poll(() => text('thead')).toContain('last known');
    await expect.poll(() => row('a').textContent()).toContain('online');

    face = await BridgeFace.open({ port, epoch: 'another-life' });
    publish('a', { status: 'stale' });
    publish('new');
    await page.waitForSelector('body[data-feed="live"]');
    await expect.poll(ids).toEqual(['a', 'new']);
    await expect.poll(() => row('a').textContent()).toContain('stale');
    publish('a');
    await expect.poll(() => row('a').textContent()).toContain('online');
  });

  it('goes anywhere by a few letters', async () => {
    publish('rack-1');
    publish('scale');
    await open();
    await expect.poll(() => ids()).toEqual(['rack-1', 'scale']);
    await page.keyboard.press('/');
    await page.keyboard.type('sca');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.device-page[data-device="scale"]');
    await page.keyboard.press('/');
    await page.keyboard.type('dark');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('html').getAttribute('data-theme')).toBe('dark');
  });

  it('takes keys that come faster than it draws', async () => {
    publish('rack-1');
    publish('scale');
    await open();
    await expect.poll(() => ids()).toEqual(['rack-1', 'scale']);
    await page.evaluate(`{
      const press = (target, key) => target.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      press(document.body, '/');
      const field = document.activeElement;
      field.value = 'sca';
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
      press(field, 'Enter');
    }`);
    await page.waitForSelector('.device-page[data-device="scale"]');
  });

  it('keeps a thousand devices, draws those in sight, and only redraws what changed', async () => {
    for (let index = 0; index < 1_000; index++) publish(`d-${index}`);
    await open();
    await expect.poll(() => text('#counts li:has-text("All") b')).toBe('1,000');
    expect(await page.locator('tr[data-device]').count()).toBeLessThan(60);
    await expect.poll(() => page.locator('tr[data-device="d-7"]').count()).toBe(1);
    await page.evaluate('document.querySelector(`tr[data-device="d-7"]`).mark = "same row"');
    for (let index = 0; index < 1_000; index++) publish(`d-${index}`, { status: 'stale' });
    await expect.poll(() => text('#counts li:has-text("Stale") b')).toBe('1,000');
    await expect
      .poll(() => page.evaluate('document.querySelector(`tr[data-device="d-7"]`).mark'))
      .toBe('same row');
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await page.waitForSelector('tr[data-device="d-999"]');
  });

  it('fits a phone, in both colour schemes, without scrolling sideways', async () => {
    publish('a-device-with-quite-a-long-name-0123456789-0123456789', { reason: 'r'.repeat(200) });
    publish('b', { status: 'offline' });
    await page.setViewportSize({ width: 380, height: 800 });
    const backgrounds = new Set<string>();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await open();
      await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBe(380);
      // It counts nothing offline before it knows the devices.
      const offline = page.locator('#counts li:has-text("Offline")');
      await offline.waitFor();
      const box = await offline.boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 380)).toBeLessThan(380);
      backgrounds.add(String(await page.evaluate('getComputedStyle(document.body).backgroundColor')));
    }
    expect(backgrounds.size).toBe(2);
  });
});
