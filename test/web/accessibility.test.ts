import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BridgeFace } from '../support/bridge-face.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SINCE = Date.now() - 65_000;

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

describe.runIf(hasChromium)('the page for everyone', () => {
  let browser: Browser;
  let face: BridgeFace;
  beforeAll(async () => {
    browser = await launchChromium();
    face = await BridgeFace.open();
    const { store } = face;
    store.publishState('bridge/status', { not_registered: [{ address: '10.0.0.9:51234', since: SINCE }] });
    store.publishState('declarations/rig', {
      fields: { 'rig.load': { unit: 'kN', decimals: 2 } },
      commands: {
        move: {
          reply: 'status',
          fields: [
            { name: 'speed', type: 'number', unit: '%', least: 0, greatest: 100 },
            { name: 'mode', type: 'choice', choices: ['idle', 'run'] },
            { name: 'lamp', type: 'flag', optional: true },
            { name: 'more', type: 'json', optional: true },
          ],
        },
      },
    });
    for (const [index, status] of [
      'online',
      'stale',
      'offline',
      'registering',
      'away',
      'unknown',
    ].entries()) {
      store.publishState(`devices/${status}/state`, {
        device: status,
        status,
        since: SINCE,
        ...(status === 'offline' ? { reason: 'silent', detail: 'nothing for 10 s' } : {}),
        ...(index < 3 ? { group: 'Hall 1' } : {}),
        link: { status: 'connected', transport: 'tcp', address: '10.0.0.7:9089', since: SINCE, attempt: 0 },
        values: { rig: { load: 2.5, limit: 3, mode: 'idle' } },
        quality: { 'rig.load': index % 2 === 0 ? 'alarm' : 'warn' },
        declaration: 'rig',
      });
    }
  });
  afterAll(async () => {
    await browser?.close();
    await face?.[Symbol.asyncDispose]();
  });

  it.each([
    ['light', '#/'],
    ['dark', '#/?groups=1'],
    ['light', '#/?view=tiles'],
    ['light', '#/?q=nowhere'],
    ['dark', '#/devices/online?plot=rig.load'],
    ['light', '#/devices/offline'],
    ['light', '#/plots?lines=online:rig.load'],
    ['dark', `#/?at=${new Date(SINCE).toISOString()}`],
    ['light', '#/nowhere'],
  ] as const)('axe finds nothing to complain of (%s, %s)', async (colorScheme, place) => {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 900 } });
    await page.goto(`${face.url}${place}`);
    await page.waitForSelector('body:is([data-feed="live"], [data-feed="past"])');
    await page.waitForSelector('main :is(table, ul, section, article)');
    await page.waitForTimeout(500);
    await page.evaluate(AXE);
    const violations = (await page.evaluate('axe.run().then(({ violations }) => violations)')) as Violation[];
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual(
      [],
    );
    await page.close();
  });

  it('is reached by the keyboard alone: from the first key to a device and back', async () => {
    const page = await browser.newPage();
    await page.goto(face.url);
    await page.waitForSelector('tr[data-device]');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    await page.keyboard.press('Enter');
    const focused = (): Promise<unknown> => page.evaluate('document.activeElement.textContent');
    for (let presses = 0; presses < 40 && (await focused()) !== 'online Hall 1'; presses++)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.device-page[data-device="online"]');
    await page.goBack();
    await page.waitForSelector('tr[data-device]');
    await page.close();
  });
});
