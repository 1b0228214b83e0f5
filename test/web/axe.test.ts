import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { PROJECT_ROOT } from '../support/project-files.ts';
import { dialIn, QUICK_HEARTBEAT, SIMULATED_IMEI } from '../support/simulated-device.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const CONFIG = `
${QUICK_HEARTBEAT}
devices:
  - { id: bench-1, match: { imei: "${SIMULATED_IMEI}" } }
  - { id: psu-1, link: "tcp:127.0.0.1:1" }
listeners: [{ link: "tcp-listen:127.0.0.1:0", unknown: refuse }]
`;
const PAGES: readonly (readonly [name: string, hash: string, ready: string])[] = [
  ['the inspector', '#/inspect', '.drop'],
  ['the live inspector', '#/inspect?device=bench-1', '.frames-list [role=option]'],
  ['incidents', '#/incidents', '.listing'],
  ['events', '#/events', '.listing'],
  ['the bridge', '#/bridge', '.log li'],
  ['first steps', '#/start', '.unknown'],
];

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly target: unknown; readonly failureSummary: string }[];
}

describe.runIf(hasChromium)('every page', () => {
  let browser: Browser;
  let bridge: TestBridge;
  let device: { readonly [Symbol.asyncDispose]: () => Promise<void> } | undefined;
  beforeAll(async () => {
    browser = await launchChromium();
    bridge = await startBridge(CONFIG);
    device = await dialIn(bridge.devicePort);
    const unknown = connect(bridge.devicePort, '127.0.0.1');
    unknown.on('error', () => undefined);
    unknown.end(Buffer.from('0102030405', 'hex'));
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await device?.[Symbol.asyncDispose]();
    await bridge?.[Symbol.asyncDispose]();
  });

  async function violations(page: Page): Promise<readonly string[]> {
    await page.evaluate(AXE);
    const found = (await page.evaluate(
      'axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations)',
    )) as readonly Violation[];
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} ${JSON.stringify(target)} ${failureSummary}`),
    );
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    it.each(PAGES)(
      `has nothing that axe objects to: %s, ${colorScheme}`,
      async (_, hash, ready) => {
        const context = await browser.newContext({ colorScheme });
        try {
          const page = await context.newPage();
          page.setDefaultTimeout(60_000);
          await page.goto(`${bridge.url}/inspect${hash}`);
          await page.locator(ready).first().waitFor();
          if (hash.includes('device=')) {
            await page.locator('.frames-list [role=option]').first().click();
            await page.locator('table.fields').waitFor();
          }
          expect(await violations(page)).toEqual([]);
        } finally {
          await context.close();
        }
      },
      120_000,
    );
  }

  it('opens as a file, without a bridge', async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    const errors: string[] = [];
    page.on('pageerror', (error) => void errors.push(error.message));
    await page.goto(`file://${join(PROJECT_ROOT, 'dist/web/inspect.html')}`);
    await page.setInputFiles('.bar input[type=file]', join(PROJECT_ROOT, 'packs/gt06/gt06.trace'));
    await page.locator('.about select').first().selectOption('pack:gt06');
    await page.locator('.row', { hasText: 'location' }).first().click();
    await page.locator('table.fields tbody tr', { hasText: 'latitude' }).first().hover();
    expect(await page.locator('.hex .cells [data-lit]').allTextContents()).toEqual(['02', '7a', 'c7', 'eb']);
    expect(errors).toEqual([]);
    await page.close();
  }, 120_000);
});
