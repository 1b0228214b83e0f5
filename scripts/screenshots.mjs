// Makes the pictures of docs/images/: every page of the dashboard on the demo, light, dark, on a phone, and in Chinese.
// Needs Chromium: CHROMIUM=/usr/bin/chromium node scripts/screenshots.mjs [page ...]
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const out = at('docs/images');
/** The demo shows an alarm and a loss within that time, and fills most of each spark line. */
const DEMO_MS = 75_000;
const DESK = { width: 1280, height: 800 };

const VARIANTS = {
  light: { viewport: DESK, colorScheme: 'light', locale: 'en' },
  dark: { viewport: DESK, colorScheme: 'dark', locale: 'en' },
  phone: { viewport: { width: 390, height: 780 }, colorScheme: 'light', locale: 'en', hasTouch: true },
  chinese: { viewport: DESK, colorScheme: 'light', locale: 'zh-CN' },
};

/** Every page: its address, and what is done before the picture is taken. */
const PAGES = {
  overview: ['#/'],
  device: ['#/devices/supply'],
  plots: ['#/plots?span=60&lines=thermostat:climate.temperature,supply:measured_current.amperes'],
  frames: ['#/inspect?device=supply', pickFrame],
  file: ['#/inspect', dropFile],
  incidents: ['#/incidents'],
  events: ['#/events'],
  bridge: ['#/bridge'],
  start: ['#/start', useFirst],
};

async function pickFrame(page) {
  const row = page.locator('.frames-list .row[data-kind=frame]', { has: page.locator('.way.in') }).last();
  await row.waitFor({ timeout: 20_000 });
  await page.waitForTimeout(4_000);
  await page.getByRole('button', { name: /Pause|暂停/ }).click();
  await row.click();
  await page.locator('table.fields tbody tr:not(.around)').last().hover();
}

async function dropFile(page) {
  await page.setInputFiles('.bar input[type=file]', at('packs/gt06/gt06.trace'));
  await page.locator('.about select').first().selectOption('pack:gt06');
  await page.locator('.row', { hasText: 'location' }).first().click();
  await page.locator('table.fields tbody tr', { hasText: 'latitude' }).first().hover();
}

async function useFirst(page) {
  const button = page.locator('.unknown button, .panel button').first();
  if (await button.isVisible().catch(() => false)) await button.click();
}

const folder = mkdtempSync(join(tmpdir(), 'heartwire-screenshots-'));
const demo = spawn(process.execPath, [at('dist/bin/heartwire.js'), 'demo', '--port', '0'], { cwd: folder });
const url = await new Promise((resolve, reject) => {
  let text = '';
  const look = (chunk) => {
    text += chunk;
    const found = /http:\/\/[\d.]+:\d+/.exec(text)?.[0];
    if (found !== undefined) resolve(found);
  };
  demo.stdout.on('data', look);
  demo.stderr.on('data', look);
  demo.once('exit', () => reject(new Error(`The demo did not start: ${text}`)));
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
try {
  mkdirSync(out, { recursive: true });
  const home = `${url}/`;
  console.error(`the demo runs at ${home}; its first ${DEMO_MS / 1_000} s pass`);
  await new Promise((resolve) => setTimeout(resolve, DEMO_MS));
  const wanted = process.argv.slice(2);
  const picture = async ([variant, { locale, ...look }]) => {
    const context = await browser.newContext({ ...look, locale });
    for (const [name, [hash, act]] of Object.entries(PAGES)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const page = await context.newPage();
      await page.goto(home + hash);
      await page.locator('main > *').first().waitFor();
      // What was before is asked of the history, a few values at a time.
      await page.waitForTimeout(5_000);
      await act?.(page).catch((cause) =>
        console.error(`${name}, ${variant}: ${cause.message.split('\n')[0]}`),
      );
      await page.waitForTimeout(300);
      const path = join(out, `${name}-${variant}.png`);
      await page.screenshot({ path });
      console.error(
        `${path.slice(out.length + 1).padEnd(24)} ${(statSync(path).size / 1_000).toFixed(0)} kB`,
      );
      await page.close();
    }
    await context.close();
  };
  await Promise.all(Object.entries(VARIANTS).map(picture));
} finally {
  await browser.close();
  demo.removeAllListeners('exit');
  demo.kill('SIGINT');
  await new Promise((resolve) => demo.once('exit', resolve));
  rmSync(folder, { recursive: true, force: true });
}
