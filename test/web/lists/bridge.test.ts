import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../../support/chromium.ts';
import { RunningProgram } from '../../support/running-program.ts';

const PATIENT = { timeout: 60_000, interval: 200 };
/** A port at which nothing listens: the device stays offline, and incidents and events are few. */
const FILE = 'devices:\n  - { id: pump, link: "tcp:127.0.0.1:1", role: server }\n';

describe.runIf(hasChromium)('the page of the bridge', { timeout: 180_000 }, () => {
  let browser: Browser;
  let folder: string;
  let bridge: RunningProgram;
  let url: string;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-bridge-page-'));
    await writeFile(join(folder, 'devices.yaml'), FILE);
    bridge = new RunningProgram(['run', 'devices.yaml', '--port', '0', '--quiet'], folder);
    url = await bridge.said(/Heartwire is at (\S+)/);
  });
  afterEach(async () => {
    bridge?.[Symbol.dispose]();
    await bridge?.exited;
    await rm(folder, { recursive: true, force: true });
  });

  const open = async (place: string): Promise<Page> => {
    const page = await browser.newPage({ locale: 'en' });
    page.setDefaultTimeout(60_000);
    await page.goto(`${url}/${place}`);
    return page;
  };

  it('has what is wrong with a file as it is saved: the place, what is wrong and what to do', async () => {
    const page = await open('#/bridge');
    await page.getByText('no problems').waitFor();
    await writeFile(join(folder, 'devices.yaml'), `${FILE}  - { id: fan, lnik: "tcp:127.0.0.1:1" }\n`);
    const problem = page.locator('.problems li', { hasText: 'lnik' });
    await problem.waitFor();
    expect(await problem.locator('.mono').textContent()).toMatch(/devices\.yaml:3:\d+$/);
    expect(await problem.locator('.badge').textContent()).toBe('error');
    expect(await problem.textContent()).toContain('link');
    await writeFile(join(folder, 'devices.yaml'), FILE);
    await page.getByText('no problems').waitFor();
    await page.close();
  });

  it('disconnects a client, not itself, and its log has that', async () => {
    const page = await open('#/bridge');
    const other = await open('#/');
    await other.locator('tr[data-device="pump"]').waitFor();
    const kick = page.getByRole('button', { name: 'Disconnect' });
    await expect.poll(() => kick.count(), PATIENT).toBe(1);
    const row = page.locator('tr', { has: kick });
    const id = (await row.locator('th').textContent())?.trim() ?? '';
    expect(id).toMatch(/^c_/);
    page.once('dialog', (dialog) => void dialog.accept());
    await kick.click();
    await expect.poll(() => page.locator('tbody th', { hasText: id }).count(), PATIENT).toBe(0);
    await page.locator('.log li', { hasText: `${id} at 127.0.0.1 disconnected: kicked` }).waitFor();
    await Promise.all([page.close(), other.close()]);
  });

  it('lists nothing that came after the moment of the past', async () => {
    const page = await open('#/events');
    await page.locator('tbody tr').first().waitFor();
    const before = new Date(Date.now() - 3_600_000).toISOString();
    await page.goto(`${url}/#/events?at=${before}`);
    await page.waitForSelector('body[data-feed="past"]');
    await page.getByText('Nothing happened').waitFor();
    expect(await page.locator('tbody tr').count()).toBe(0);
    await page.keyboard.press('l');
    await page.locator('tbody tr').first().waitFor();
    await page.close();
  });
});
