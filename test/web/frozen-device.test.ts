import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { dialIn, QUICK_HEARTBEAT, SIMULATED_IMEI } from '../support/simulated-device.ts';
import { startBridge } from '../support/test-bridge.ts';

const CONFIG = `
${QUICK_HEARTBEAT}
devices:
  - id: bench-1
    match: { imei: "${SIMULATED_IMEI}" }
listeners:
  - { link: "tcp-listen:127.0.0.1:0", unknown: accept }
`;

describe.runIf(hasChromium)('a whole bridge in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it('shows a device that freezes and thaws, on both axes, with reasons', async () => {
    await using bridge = await startBridge(CONFIG);
    const page = await browser.newPage();
    await page.goto(bridge.url);
    const cell = (selector: string): Promise<string | null> =>
      page.locator(`tr[data-device="bench-1"] ${selector}`).first().textContent();
    const status = (): Promise<string | null> => cell('.status .word');
    await expect.poll(status).toBe('unknown');
    expect(await cell('.link .word')).toBe('listening');

    await using fleet = await dialIn(bridge.devicePort);
    await expect.poll(status).toBe('online');
    expect(await cell('.link .word')).toBe('connected');
    await page.fill('#search', SIMULATED_IMEI);
    await expect.poll(() => page.locator('tr[data-device]').count()).toBe(1);
    await expect.poll(() => cell('.beat')).toMatch(/^\s*\d+ s ago/);

    for (const device of fleet.devices) device.freeze();
    await expect.poll(status).toBe('stale');
    expect(await cell('.link .word')).toBe('connected');
    await expect.poll(status).toBe('offline');
    expect(await cell('.reason')).toContain('silent');
    await expect.poll(() => cell('.link .word')).toBe('listening');

    for (const device of fleet.devices) device.thaw();
    await expect.poll(status).toBe('online');
    await expect.poll(() => cell('.link .word')).toBe('connected');
    await page.close();
  });
});
