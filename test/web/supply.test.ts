import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { hasPtys, openPty, type Pty } from '../support/pty.ts';
import { RunningProgram } from '../support/running-program.ts';

/** As docs/reference/dashboard.md promises it. */
const MOST_MS = 180_000;

describe.runIf(hasChromium && hasPtys())('a supply on a serial line, from nothing', () => {
  let browser: Browser;
  let folder: string;
  const ends: Pty[] = [];
  beforeAll(async () => {
    browser = await launchChromium();
    folder = await mkdtemp(join(tmpdir(), 'heartwire-supply-'));
  });
  afterAll(async () => {
    await browser?.close();
    for (const end of ends) await end.dispose();
    await rm(folder, { recursive: true });
  });

  /** Two ptys as the two ends of one line, as `socat` makes them. */
  const serialLine = (): readonly [string, string] => {
    const [a, b] = [openPty(), openPty()];
    ends.push(a, b);
    a.onData((chunk) => b.write(chunk));
    b.onData((chunk) => a.write(chunk));
    return [a.path, b.path];
  };

  it('is set, refused, plotted and saved as CSV in less than three minutes', {
    timeout: 240_000,
  }, async () => {
    const startedAt = performance.now();
    const [line, supply] = serialLine();
    using _simulated = new RunningProgram(
      ['simulate', '--messages', 'pack:scpi-supply', '--pty', supply],
      folder,
    );
    await writeFile(
      join(folder, 'devices.yaml'),
      `devices:\n  - { id: supply, link: "${line}", baud: 9600-8N1, session: none, messages: "pack:scpi-supply" }\n`,
    );
    using bridge = new RunningProgram(['run', 'devices.yaml', '--port', '0', '--quiet'], folder);
    const url = await bridge.said(/Heartwire is at (\S+)/);
    const page = await browser.newPage();
    await page.goto(url);
    await expect
      .poll(() => page.locator('tr[data-device="supply"] .status .word').textContent(), { timeout: 60_000 })
      .toBe('online');
    await page.click('tr[data-device="supply"] a');

    const form = page.locator('form.command[aria-label="set voltage"]');
    const result = (): Promise<string | null> => form.locator('.result').textContent();
    const type = async (volts: string): Promise<void> => {
      await form.locator('input').fill(volts);
      await form.locator('button[type="submit"]').click();
    };
    await type('61');
    await expect.poll(() => form.locator('.fault').textContent()).toContain('Too large · 0 to 60 V');
    await type('12.5');
    await form.locator('.confirm button.primary').click();
    await expect.poll(result).toContain('Done: the device reports it.');
    const setpoint = page.locator('tr[data-path="voltage.volts"] .number');
    await expect.poll(() => setpoint.textContent()).toContain('12.5');

    await page.click('tr[data-path="voltage.volts"] button');
    await expect.poll(() => page.locator('.legend').textContent()).toContain('12.5');
    const download = page.waitForEvent('download');
    await page.click('.plot button:has-text("CSV")');
    const csv = await readFile(await (await download).path(), 'utf8');
    // The plot begins with the measured value that came first.
    expect(csv).toMatch(/^time,supply measured_\w+\.\w+ \[\w\],supply voltage\.volts \[V\]\r\n/);
    expect(csv).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z,.*12\.5\r$/m);
    expect(performance.now() - startedAt).toBeLessThan(MOST_MS);
    await page.close();
  });
});
