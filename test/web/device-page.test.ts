import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

describe.runIf(hasChromium)('the page of a device', () => {
  let browser: Browser;
  let bridge: TestBridge;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    bridge = await startBridge('listeners: [{ link: "tcp-listen:127.0.0.1:0" }]');
    page = await browser.newPage();
  });
  afterEach(async () => {
    await page?.close();
    await bridge?.[Symbol.asyncDispose]();
  });

  /** A device that is known, with what it may be sent; none answers. */
  const publish = (status = 'online'): void => {
    const { store } = bridge.bridge;
    store.publishState('declarations/supply', {
      fields: { 'voltage.volts': { unit: 'V', decimals: 3, alarm: { greatest: 60 } } },
      commands: {
        set_voltage: {
          label: 'Voltage',
          reply: 'none',
          fields: [
            {
              name: 'volts',
              type: 'number',
              unit: 'V',
              least: 0,
              greatest: 60,
              decimals: 3,
              shown_by: 'voltage.volts',
            },
          ],
        },
        voltage: { reply: 'fields', fields: [] },
      },
    });
    store.publishState('devices/supply/state', {
      device: 'supply',
      status,
      since: Date.now(),
      link: {
        status: 'connected',
        transport: 'tcp',
        address: '10.0.0.7:5025',
        since: Date.now(),
        attempt: 0,
      },
      values: { voltage: { volts: 12 } },
      declaration: 'supply',
    });
  };
  const open = async (): Promise<void> => {
    await page.goto(`${bridge.url}/#/devices/supply`);
    await page.waitForSelector('form.command');
  };
  const form = () => page.locator('form.command[aria-label="Voltage"]');

  it('shows values with their units as fine as they are, and plots them', async () => {
    publish();
    await open();
    await expect.poll(() => page.locator('tr.value .number').textContent()).toBe('12.000 V');
    await page.waitForSelector('.plot canvas');
    await expect.poll(() => page.locator('.legend').textContent()).toContain('12.000');
    await page.click('button[aria-label="Plot volts"]');
    await expect.poll(() => page.locator('.plot').count()).toBe(0);
    expect(page.url()).toContain('plot=-');
  });

  it('sends nothing that the declaration does not allow, and asks before it sends', async () => {
    publish();
    await open();
    const note = (): Promise<string | null> => form().locator('.field > :last-child').textContent();
    await expect.poll(note).toBe('0 to 60 V · now 12.000 V');
    for (const [typed, fault] of [
      ['', 'A value is needed'],
      ['many', 'Not a number'],
      ['60.5', 'Too large'],
      ['1.0005', 'Finer than the device can take'],
    ] as const) {
      await form().locator('input').fill(typed);
      await form().locator('button[type="submit"]').click();
      await expect.poll(note).toContain(fault);
      expect(await form().locator('.confirm').count()).toBe(0);
    }
    await form().locator('input').fill('13.5');
    await form().locator('button[type="submit"]').click();
    await expect.poll(() => form().locator('.confirm').textContent()).toContain('volts 13.5 V');
    await form().locator('.confirm button.primary').click();
    // The bridge has no such device of its own, and says so.
    await expect.poll(() => form().locator('.result').textContent()).toContain('device unknown');
    expect(await form().locator('.result').getAttribute('data-outcome')).toBe('failed');
  });

  it('sends nothing to a device that is not there', async () => {
    publish('offline');
    await open();
    expect(await form().locator('button[type="submit"]').isDisabled()).toBe(true);
  });

  it('says unmistakably that the past is shown, sends nothing into it, and is live again with one key', async () => {
    publish();
    await open();
    await page.keyboard.press('h');
    await page.waitForSelector('body[data-feed="past"]');
    await expect.poll(() => page.title()).toMatch(/^PAST/);
    expect(await page.locator('#sign-text').textContent()).toBe('The past');
    expect(page.url()).toContain('at=');
    await expect.poll(() => page.locator('form.command button:not([disabled])').count()).toBe(0);
    await page.keyboard.press('l');
    await page.waitForSelector('body[data-feed="live"]');
    expect(page.url()).not.toContain('at=');
  });

  it('is in Chinese where that is chosen, and stays so', async () => {
    publish();
    await open();
    await page.click('summary[aria-label="Settings"]');
    await page.selectOption('.settings select >> nth=1', 'zh-CN');
    await expect.poll(() => page.locator('#sign-text').textContent()).toBe('实时');
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-CN');
    await page.reload();
    await expect.poll(() => page.locator('#sign-text').textContent()).toBe('实时');
  });

  it('says so where the device is none', async () => {
    await page.goto(`${bridge.url}/#/devices/nowhere`);
    await expect.poll(() => page.locator('main').textContent()).toContain('There is no device nowhere');
  });
});
