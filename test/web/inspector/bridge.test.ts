import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../../support/chromium.ts';
import { dialIn, QUICK_HEARTBEAT, SIMULATED_IMEI } from '../../support/simulated-device.ts';
import { startBridge, type TestBridge } from '../../support/test-bridge.ts';

const CONFIG = `
${QUICK_HEARTBEAT}
devices: [{ id: bench-1, match: { imei: "${SIMULATED_IMEI}" } }]
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
`;
const PATIENT = { timeout: 60_000 };

describe.runIf(hasChromium)('the inspector on a bridge', () => {
  let browser: Browser;
  let page: Page;
  let bridge: TestBridge;
  let dir: string;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heartwire-inspector-'));
    const box = { dir: join(dir, 'incidents'), beforeMs: 60_000, afterMs: 300, maxBytes: 32 * 1_024 };
    bridge = await startBridge(CONFIG, undefined, undefined, undefined, box);
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
  });
  afterEach(async () => {
    await page?.close();
    await bridge?.[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  });

  it('shows the bytes of a device both ways as they come, and rests while it is paused', async () => {
    await using _device = await dialIn(bridge.devicePort);
    await page.goto(`${bridge.url}/inspect#/inspect?device=bench-1`);
    const frames = page.locator('.frames-list .row', { hasText: 'heartbeat' });
    await frames
      .filter({ has: page.locator('.way.in') })
      .first()
      .waitFor();
    await frames
      .filter({ has: page.locator('.way.out') })
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    const { length } = await page.locator('.frames-list .row').all();
    await page.getByRole('button', { name: /Go on \([1-9]/ }).waitFor();
    expect(await page.locator('.frames-list .row').count()).toBe(length);
    await page.getByRole('button', { name: /Go on/ }).click();
    await expect.poll(() => page.locator('.frames-list .row').count(), PATIENT).toBeGreaterThan(length);
  }, 120_000);

  it('opens an incident from the list', async () => {
    {
      await using _device = await dialIn(bridge.devicePort);
      const status = () => bridge.bridge.store.document('devices/bench-1/state')?.status;
      await expect.poll(status, PATIENT).toBe('online');
    }
    await page.goto(`${bridge.url}/inspect#/incidents`);
    await page.getByRole('link', { name: 'See the bytes' }).first().click();
    await page.locator('.frames-list .row', { hasText: 'register' }).first().click();
    await expect.poll(() => page.locator('.detail h2').textContent(), PATIENT).toBe('register');
    await page.locator('table.fields').waitFor();
  }, 120_000);
});
