import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../../support/chromium.ts';
import { RunningProgram } from '../../support/running-program.ts';

const FILE = '# my boat\nlisteners:\n  - link: tcp-listen:127.0.0.1:0 # instruments\n';
const SENTENCE = '$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47\r\n';
const PATIENT = { timeout: 60_000 };

/** A receiver of positions that dials in, speaks, and comes back when it is refused. */
class Receiver implements Disposable {
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #done = false;

  constructor(readonly port: number) {
    this.#dial();
  }

  #dial(): void {
    const socket = connect(this.port, '127.0.0.1');
    this.#socket = socket;
    const speaking = setInterval(() => socket.write(SENTENCE), 100);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(speaking);
      if (!this.#done) this.#timer = setTimeout(() => this.#dial(), 200);
    });
  }

  [Symbol.dispose](): void {
    this.#done = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }
}

describe.runIf(hasChromium)('first steps', () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    browser = await launchChromium();
    folder = await mkdtemp(join(tmpdir(), 'heartwire-steps-'));
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true });
  });

  const open = async (url: string): Promise<Page> => {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(`${url}/#/start`);
    return page;
  };

  it('make a device of one that dialled in and was not known: its pack, its lines, its values', async () => {
    const path = join(folder, 'devices.yaml');
    await writeFile(path, FILE);
    using bridge = new RunningProgram(['run', 'devices.yaml', '--port', '0', '--quiet'], folder);
    const url = await bridge.said(/Heartwire is at (\S+)/);
    const port = await bridge.said(/Devices may dial in at \S+:(\d+)/);
    using _receiver = new Receiver(Number(port));
    const page = await open(url);
    const proposal = page.locator('.fits li', { hasText: 'nmea-0183' }).first();
    await proposal.getByRole('button', { name: 'Use it' }).click();
    const name = page.getByLabel('Name', { exact: true });
    const change = page.getByRole('region', { name: 'What changes in devices.yaml' });
    const add = page.getByRole('button', { name: 'Add to devices.yaml' });

    // A name that cannot be one is reported with its place, and nothing can be added.
    await name.fill('a/b');
    await page.getByRole('button', { name: 'Show the change' }).click();
    await expect
      .poll(() => page.locator('.add-device .problems').textContent(), PATIENT)
      .toContain('devices.yaml:5:');
    expect(await add.count()).toBe(0);

    await name.fill('gps');
    expect(await change.count()).toBe(0);
    await page.getByRole('button', { name: 'Show the change' }).click();
    await change.locator('tr.comes', { hasText: '- id: gps' }).waitFor();
    expect(await change.locator('tr.comes .sign').allTextContents()).toEqual(['+', '+', '+', '+', '+']);
    expect(await readFile(path, 'utf8')).toBe(FILE);
    await add.click();
    await page.getByText('Added to devices.yaml.').waitFor();
    const text = await readFile(path, 'utf8');
    expect(text.startsWith(`${FILE}devices:\n  - id: gps\n`)).toBe(true);

    await page.goto(`${url}/#/`);
    await expect
      .poll(() => page.locator('tr[data-device="gps"] .status .word').textContent(), PATIENT)
      .toBe('online');
    await page.close();
  }, 180_000);

  it('are offered in Chinese', async () => {
    const path = join(folder, 'zh.yaml');
    await writeFile(path, FILE);
    using bridge = new RunningProgram(['run', 'zh.yaml', '--port', '0', '--quiet'], folder);
    const url = await bridge.said(/Heartwire is at (\S+)/);
    const context = await browser.newContext({ locale: 'zh-CN' });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(`${url}/#/start`);
    await page.getByRole('button', { name: '网络上的设备' }).click();
    await page.getByRole('button', { name: '显示更改' }).click();
    await page.getByText('还不能添加：').waitFor();
    await context.close();
  }, 120_000);
});
