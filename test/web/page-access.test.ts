import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessWorld, secretOf, token } from '../support/access-world.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';

describe.runIf(hasChromium)('the page of a bridge that asks for tokens', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it('asks for one, says what is wrong with it, and keeps a good one for its tab', async () => {
    await using world = await AccessWorld.start({ tokens: [token('hmi', 'read', ['#'])] });
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${world.port}/`);
    const phase = (): Promise<string | null> => page.locator('body').getAttribute('data-feed');
    const type = async (text: string): Promise<void> => {
      await page.waitForSelector('#access:visible');
      await page.fill('#token', text);
      await page.click('#access button');
    };
    const sign = (): Promise<string | null> => page.locator('#sign-text').textContent();
    const note = (): Promise<string | null> => page.locator('#note').textContent();
    await page.waitForSelector('#access:visible');
    await expect.poll(sign).toBe('Waiting');
    expect(await note()).toBe('The bridge wants a token.');
    await type('hw_wrong');
    await expect.poll(phase).toBe('lost');
    expect(await sign()).toBe('Not let in');
    expect(await note()).toContain('It wants another token.');
    await expect.poll(() => page.locator('#access-said').textContent()).not.toBe('');
    await type(secretOf('hmi'));
    await expect.poll(phase).toBe('live');
    await expect.poll(() => page.locator('tr[data-device]').count()).toBe(2);
    expect(await page.locator('#access').isVisible()).toBe(false);

    await page.reload();
    await expect.poll(phase).toBe('live');
    expect(page.url()).not.toContain('hw_');
    const stranger = await browser.newPage();
    await stranger.goto(`http://127.0.0.1:${world.port}/`);
    await stranger.waitForSelector('#access:visible');
    await Promise.all([page.close(), stranger.close()]);
  });
});
