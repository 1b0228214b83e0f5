import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, posix } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from './support/chromium.ts';
import { PROJECT_ROOT, projectFiles } from './support/project-files.ts';

/** Building the site takes a minute, so it is left to full runs. */
const full = process.env.HEARTWIRE_TEST_ALL === '1';
const site = join(PROJECT_ROOT, 'dist/site');
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};
/** The pages, as the site has them. */
const pages = projectFiles(['docs'], ['.md']).map((path) =>
  path.replace('docs/', '').replace(/\.md$/, '.html'),
);

describe.runIf(full)('npm run site', { timeout: 600_000 }, () => {
  beforeAll(() => {
    const script = join(PROJECT_ROOT, 'scripts/build-site.mjs');
    const built = spawnSync(process.execPath, [script], { cwd: PROJECT_ROOT, encoding: 'utf8' });
    expect([built.status, built.status === 0 ? '' : `${built.stdout}${built.stderr}`]).toEqual([0, '']);
  }, 600_000);

  it('has every page of docs/, in both languages', () => {
    expect(pages.filter((page) => !existsSync(join(site, page)))).toEqual([]);
  });

  it('has no link that leads nowhere', () => {
    const dead = pages.flatMap((page) => {
      const text = readFileSync(join(site, page), 'utf8');
      const targets = [...text.matchAll(/(?:href|src)="((?!\w+:|#|\/\/)[^"#?]+)/g)].map(
        ([, target = '']) => target,
      );
      return targets
        .map((target) =>
          join(site, target.startsWith('/') ? target : posix.join(posix.dirname(page), decodeURI(target))),
        )
        .filter(
          (path) =>
            !existsSync(path) || (statSync(path).isDirectory() && !existsSync(join(path, 'index.html'))),
        )
        .map((path) => `${page}: ${path.slice(site.length)}`);
    });
    expect(dead).toEqual([]);
  });

  describe.runIf(hasChromium)('in Chromium', () => {
    let server: Server;
    let browser: Browser;
    let url: string;
    beforeAll(async () => {
      server = createServer((request, response) => {
        const { pathname } = new URL(request.url ?? '/', 'http://site');
        const path = join(site, decodeURI(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
        if (!existsSync(path) || statSync(path).isDirectory()) return void response.writeHead(404).end();
        response.setHeader('Content-Type', TYPES[extname(path)] ?? 'application/octet-stream');
        createReadStream(path).pipe(response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      // A listening TCP server has an address with a port.
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      browser = await launchChromium();
    });
    afterAll(async () => {
      await browser?.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it.each([
      ['/', 'Modbus meter', 'My Modbus meter'],
      ['/zh-CN/', '电表', '我的 Modbus 电表'],
    ])('finds what is looked for from %s', async (start, words, title) => {
      const page = await browser.newPage();
      await page.goto(url + start);
      await page.locator('#local-search button').first().click();
      await page.fill('#localsearch-input', words);
      await expect
        .poll(
          () =>
            page
              .locator('#localsearch-list')
              .textContent()
              .catch(() => ''),
          { timeout: 60_000 },
        )
        .toContain(title);
      await page.close();
    });

    it('leads from a page that has English only to the start in Chinese', async () => {
      const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
      await page.goto(`${url}/reference/devices-yaml.html`);
      await page.locator('.VPNavBarTranslations button').hover();
      await page.locator('.VPNavBarTranslations a').first().click();
      await page.waitForURL(`${url}/zh-CN/`, { timeout: 60_000 });
      await expect.poll(() => page.locator('main').innerText(), { timeout: 60_000 }).toContain('串口');
      await page.close();
    });

    it('decodes a recording in the inspector', async () => {
      const page = await browser.newPage();
      await page.goto(`${url}/start/inspector.html`);
      const inspector = page.frameLocator('iframe.inspector');
      await inspector.locator('.bar input[type=file]').waitFor({ state: 'attached', timeout: 60_000 });
      await page.locator('.inspector-tools button').click();
      await expect.poll(() => inspector.locator('body').innerText(), { timeout: 60_000 }).toMatch(/location/);
      await page.close();
    });
  });
});
