import type { Browser, Page } from 'playwright-core';
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
    // A link carries no token.
    expect(await page.locator('footer a').isVisible()).toBe(false);

    await page.reload();
    await expect.poll(phase).toBe('live');
    expect(page.url()).not.toContain('hw_');
    const stranger = await browser.newPage();
    await stranger.goto(`http://127.0.0.1:${world.port}/`);
    await stranger.waitForSelector('#access:visible');
    await Promise.all([page.close(), stranger.close()]);
  });

  it('shows the devices that the token covers, and says that there may be more', async () => {
    await using world = await AccessWorld.start({
      tokens: [
        token('all', 'read', ['devices/#']),
        token('one', 'read', ['devices/p1/#']),
        token('none', 'read', ['devices/elsewhere/#']),
      ],
    });
    const shown = async (name: string) => {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${world.port}/`);
      await page.waitForSelector('#access:visible');
      await page.fill('#token', secretOf(name));
      await page.click('#access button');
      await expect.poll(() => page.locator('body').getAttribute('data-feed')).toBe('live');
      return page;
    };
    const ids = (page: Page) =>
      page.locator('tr[data-device]').evaluateAll((rows) => rows.map((row) => row.dataset.device));
    const note = (page: Page) => page.locator('#note').textContent();

    const all = await shown('all');
    await expect.poll(() => ids(all)).toEqual(['p1', 'p2']);
    expect(await note(all)).not.toContain('only');
    const one = await shown('one');
    await expect.poll(() => ids(one)).toEqual(['p1']);
    expect(await note(one)).toBe('only the devices that the token covers');
    const none = await shown('none');
    await expect.poll(() => none.locator('#not-covered').isVisible()).toBe(true);
    expect(await none.locator('#empty').isVisible()).toBe(false);
    await Promise.all([all.close(), one.close(), none.close()]);
  });
});
