import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RowMaker } from '../../../src/capture/export-rows.ts';
import { PcapngExport } from '../../../src/capture/pcapng.ts';
import { readInput } from '../../../src/inspection/read-input.ts';
import { hasChromium, launchChromium } from '../../support/chromium.ts';
import { PROJECT_ROOT } from '../../support/project-files.ts';
import { startBridge, type TestBridge } from '../../support/test-bridge.ts';

const CONFIG = 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]';
const PATIENT = { timeout: 60_000 };
const at = (path: string): string => join(PROJECT_ROOT, path);

/** What Heartwire exports of a trace. */
function pcapngOf(path: string): Buffer {
  const { head, events } = readInput(readFileSync(at(path)), path);
  const rows = new RowMaker(head);
  const made = new PcapngExport(head);
  const all = [...events.flatMap((event) => rows.take(event)), ...rows.finish()];
  return Buffer.concat([made.begin(), ...all.flatMap((row) => made.row(row))]);
}

describe.runIf(hasChromium)('files in the inspector', () => {
  let browser: Browser;
  let page: Page;
  let bridge: TestBridge;
  const errors: string[] = [];
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    bridge = await startBridge(CONFIG);
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    errors.length = 0;
    page.on('pageerror', (error) => void errors.push(error.message));
    await page.goto(`${bridge.url}/inspect`);
    await page.locator('.drop').waitFor();
  });
  afterEach(async () => {
    await page?.close();
    await bridge?.[Symbol.asyncDispose]();
  });

  /** The decoder and the packs are there; from now on no bridge is needed. */
  async function loseBridge(): Promise<void> {
    await page.waitForFunction(() => performance.getEntriesByType('resource').length > 3);
    await page.waitForLoadState('networkidle');
    await bridge[Symbol.asyncDispose]();
  }
  const rows = () => page.locator('.frames-list [role=option]');
  const litBytes = async (): Promise<string[]> => page.locator('.hex .cells [data-lit]').allTextContents();

  it('are decoded with the bridge stopped, and a field and its bytes light up together', async () => {
    await loseBridge();
    await page.setInputFiles('.bar input[type=file]', at('packs/dlt645/two-meters.trace'));
    await page.locator('.about select').first().selectOption('pack:dlt645', PATIENT);
    await page.getByRole('option', { name: /forward_energy.*energy=0\.76/ }).click();
    const energy = page.locator('table.fields tbody tr', {
      has: page.locator('th', { hasText: /^energy$/ }),
    });
    await energy.hover();
    expect(await litBytes()).toEqual(['a9', '33', '33', '33']);
    await page.locator('.hex .cells [data-at="5"]').hover();
    expect(await litBytes()).toEqual(['61', '01', '00', '00', '00', '00']);
    expect(await page.locator('table.fields tr[data-lit] th').textContent()).toContain('address');
    expect(errors).toEqual([]);
  });

  it('are read with the keys alone', async () => {
    await page.setInputFiles('.bar input[type=file]', at('packs/dlt645/two-meters.trace'));
    await page.locator('.about select').first().selectOption('pack:dlt645', PATIENT);
    await rows().first().waitFor();
    await page.locator('.frames-list').focus();
    for (let step = 0; step < 4; step++) await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.locator('.detail h2').textContent(), PATIENT).toBe('forward_energy');
    await page.locator('.hex').focus();
    await page.keyboard.press('ArrowRight');
    expect(await litBytes()).not.toEqual([]);
    await page.locator('table.fields tbody tr').first().focus();
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('table.fields tr[data-lit]').count()).toBe(1);
  });

  it('as a capture of ours are the same frames', async () => {
    await loseBridge();
    const buffer = pcapngOf('fixtures/traces/client-normal.trace');
    await page.setInputFiles('.bar input[type=file]', { name: 'client.pcapng', mimeType: '', buffer });
    await page
      .getByRole('option', { name: /register/ })
      .first()
      .waitFor(PATIENT);
    expect(await page.locator('.row[data-kind=discarded]').count()).toBe(0);
  });

  it('show discarded bytes with the reason', async () => {
    await page.getByLabel('Hex text').fill('< 00000002 01 00\n< ff ff ff ff 12 34');
    await page.getByRole('button', { name: 'Read it' }).click();
    await page.locator('.row[data-kind=discarded]').first().click();
    await page.locator('.hex.discarded').waitFor();
    expect(await page.locator('.detail .why').textContent()).toContain('expected');
  });

  it('say what is wrong with them', async () => {
    const buffer = Buffer.from('0a0d0d0affffffff0000000000000000', 'hex');
    await page.setInputFiles('.bar input[type=file]', { name: 'bad.pcapng', mimeType: '', buffer });
    await expect.poll(() => page.locator('[role=alert]').textContent(), PATIENT).toContain('bad.pcapng');
  });

  it('of 100,000 frames are drawn as far as they are in view, and are moved through', async () => {
    const lines = Array.from(
      { length: 100_000 },
      (_, index) => `+0.001 c1 < 0000000201 ${(index % 100) === 7 ? 'ff' : '00'}`,
    );
    const buffer = Buffer.from(
      `#heartwire-trace 1\n#start 2026-01-01T00:00:00Z\n#meta role=server\n${lines.join('\n')}\n`,
    );
    await page.setInputFiles('.bar input[type=file]', { name: 'long.trace', mimeType: '', buffer });
    await expect.poll(() => page.locator('.bar .count').textContent(), { timeout: 120_000 }).toBe('100,000');
    expect(await rows().count()).toBeLessThan(200);
    await page.getByLabel('Moment of the file').focus();
    await page.getByLabel('Moment of the file').press('End');
    await page.locator('.frames-list').focus();
    await page.keyboard.press('End');
    await expect.poll(() => page.locator('#frame-99999').getAttribute('aria-selected'), PATIENT).toBe('true');
  }, 240_000);

  it('are saved as a trace that can be dropped again', async () => {
    await page.getByLabel('Hex text').fill('< 00000002 01 00\n> 00000001 01');
    await page.getByRole('button', { name: 'Read it' }).click();
    await rows().first().waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as trace' }).click(),
    ]);
    const text = readFileSync(await download.path(), 'utf8');
    expect(text).toContain('#heartwire-trace 1');
    const { events } = readInput(Buffer.from(text), 'again.trace');
    expect(events.filter(({ fact }) => 'bytes' in fact)).toHaveLength(2);
  });
});
