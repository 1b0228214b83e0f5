import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { freePort } from '../support/free-port.ts';
import { RunningProgram } from '../support/running-program.ts';
import { OVEN_MESSAGES, SpokenOven } from '../support/spoken-oven.ts';

/** Generous: the machine may be busy with everything else. */
const PATIENT = { timeout: 60_000, interval: 200 };
const SHORT_SPAN_S = 5;

describe.runIf(hasChromium)('the program, a device and a browser', { timeout: 180_000 }, () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let folder: string;
  let oven: SpokenOven;
  let running: RunningProgram[] = [];
  let port: number;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    [folder, oven, port] = await Promise.all([
      mkdtemp(join(tmpdir(), 'heartwire-oven-')),
      SpokenOven.start(),
      freePort(),
    ]);
    await writeFile(join(folder, 'oven.yaml'), OVEN_MESSAGES);
    context = await browser.newContext({ locale: 'en' });
    context.setDefaultTimeout(60_000);
    page = await context.newPage();
  });
  afterEach(async () => {
    await context?.close();
    for (const program of running) {
      program[Symbol.dispose]();
      await program.exited;
    }
    running = [];
    await oven?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const run = async (more = ''): Promise<RunningProgram> => {
    await writeFile(
      join(folder, 'devices.yaml'),
      `history: { dir: history, budget_mb: 16 }
devices:
  - { id: oven, label: 烘箱, link: "tcp:127.0.0.1:${oven.port}", session: none, silence: 4s, messages: oven.yaml }
${more}`,
    );
    const program = new RunningProgram(['run', 'devices.yaml', '--port', String(port), '--quiet'], folder);
    running.push(program);
    await program.said(/Heartwire is at (\S+)/);
    return program;
  };
  const url = (hash = ''): string => `http://127.0.0.1:${port}/${hash}`;
  const text = (of: Page, selector: string): Promise<string> =>
    of
      .locator(selector)
      .first()
      .textContent()
      .then((found) => found ?? '');
  const online = (of: Page): Promise<void> =>
    expect.poll(() => text(of, 'tr[data-device="oven"] .status .word'), PATIENT).toMatch(/online|在线/);
  const openOven = async (of: Page, query = ''): Promise<void> => {
    await of.goto(url(`#/devices/oven${query}`));
    await of.waitForSelector('tr[data-path="climate.temperature"]', { timeout: 60_000 });
  };
  const send = async (of: Page, command: string, value: string): Promise<void> => {
    const form = of.locator(`form.command[aria-label="${command}"]`);
    await form.locator('input').fill(value);
    await form.locator('button[type="submit"]').click();
    await form.locator('.confirm button.primary').click();
  };

  it('a value crosses its limits, and comes back', async () => {
    await run();
    await page.goto(url());
    await online(page);
    const reason = (): Promise<string> => text(page, 'tr[data-device="oven"] .reason');
    const sign = (): Promise<string> => text(page, 'tr[data-device="oven"] .course .value');
    oven.temperature = 90;
    await expect.poll(reason, PATIENT).toBe('▲ warn: 温度');
    oven.temperature = 120;
    await expect.poll(reason, PATIENT).toBe('◆ alarm: 温度');
    await expect.poll(sign, PATIENT).toContain('120 °C ◆');
    oven.temperature = 20;
    await expect.poll(reason, PATIENT).toBe('');
    await expect.poll(sign, PATIENT).toBe('温度 20 °C');
  });

  it('falls silent, and answers again', async () => {
    await run();
    await page.goto(url());
    await online(page);
    oven.mute = true;
    await expect.poll(() => text(page, 'tr[data-device="oven"] .status .word'), PATIENT).toBe('offline');
    await expect.poll(() => text(page, 'tr[data-device="oven"] .reason'), PATIENT).toContain('silent');
    oven.mute = false;
    await online(page);
  });

  it('a command is refused by the device, answered, and seen to be done', async () => {
    oven.doorOpen = true;
    await run();
    await openOven(page);
    const result = (command: string): Promise<string> =>
      text(page, `form.command[aria-label="${command}"] .result`);
    await send(page, '运行程序', '3');
    await expect.poll(() => result('运行程序'), PATIENT).toContain('door_open');
    oven.doorOpen = false;
    await send(page, '运行程序', '4');
    await expect.poll(() => result('运行程序'), PATIENT).toMatch(/Answered\..*分钟42/s);
    await send(page, '设定温度', '150');
    await expect.poll(() => result('设定温度'), PATIENT).toContain('Done: the device reports it.');
    await expect.poll(() => text(page, 'tr[data-path="settings.target"] .number'), PATIENT).toContain('150');
    expect(oven.heard).toEqual(['RUN 3', 'RUN 4', 'SET 150']);
  });

  it('a plot goes back to what was before the page was opened', async () => {
    oven.temperature = 31;
    await run();
    await page.goto(url());
    const value = (): Promise<string> => text(page, 'tr[data-device="oven"] .course .value');
    await expect.poll(value, PATIENT).toBe('温度 31 °C');
    oven.temperature = 55;
    await expect.poll(value, PATIENT).toBe('温度 55 °C');
    const since = performance.now();
    await expect.poll(() => performance.now() - since, PATIENT).toBeGreaterThan(3_000 * SHORT_SPAN_S);

    const fresh = await context.newPage();
    await openOven(fresh, `?span=${SHORT_SPAN_S}`);
    const plotted = async (): Promise<string> => {
      const download = fresh.waitForEvent('download');
      await fresh.click('.plot button:has-text("CSV")');
      return readFile(await (await download).path(), 'utf8');
    };
    await expect.poll(plotted, PATIENT).toMatch(/,55\r$/m);
    expect(await plotted()).not.toMatch(/,31\r$/m);
    await expect
      .poll(async () => {
        await fresh.click('.plot button[aria-label="Back by half"]');
        return plotted();
      }, PATIENT)
      .toMatch(/,31\r$/m);
  });

  it('the bridge restarts under the open page', async () => {
    const first = await run();
    await page.goto(url());
    await online(page);
    first.child.kill('SIGKILL');
    await first.exited;
    await page.waitForSelector('body[data-feed="lost"]', { timeout: 60_000 });
    oven.temperature = 44;
    await run();
    await page.waitForSelector('body[data-feed="live"]', { timeout: 60_000 });
    await expect.poll(() => text(page, 'tr[data-device="oven"] .course .value'), PATIENT).toBe('温度 44 °C');
  });

  it('a token that may only read shows values and no controls; one that may command has them', async () => {
    const secret = (role: string): string => `hw_${role}-${'x'.repeat(40)}`;
    const token = (role: string): string =>
      `    - { name: ${role}, roles: [${role}], topics: ["#"], hash: "sha256:${createHash('sha256').update(secret(role)).digest('hex')}" }\n`;
    await run(`access:\n  tokens:\n${token('read')}${token('command')}`);
    const opened = async (role: string): Promise<Page> => {
      const own = await (await browser.newContext({ locale: 'en' })).newPage();
      await own.goto(url('#/devices/oven'));
      await own.fill('#token', secret(role));
      await own.click('#access button');
      await own.waitForSelector('tr[data-path="climate.temperature"]', { timeout: 60_000 });
      return own;
    };
    const reader = await opened('read');
    await expect
      .poll(() => text(reader, '[aria-label="Commands"]'), PATIENT)
      .toContain('this token may only read');
    expect(await reader.locator('form.command').count()).toBe(0);
    await reader.context().close();
    const operator = await opened('command');
    await expect.poll(() => operator.locator('form.command').count(), PATIENT).toBeGreaterThan(1);
    await operator.context().close();
  });

  it('a page in Chinese shows the labels of a Chinese bench', async () => {
    await run();
    const chinese = await browser.newContext({ locale: 'zh-CN' });
    const own = await chinese.newPage();
    await own.goto(url());
    await online(own);
    await expect.poll(() => text(own, 'tr[data-device="oven"] .device'), PATIENT).toContain('烘箱');
    await expect.poll(() => text(own, 'tr[data-device="oven"] .course .value'), PATIENT).toContain('温度 20');
    await own.click('tr[data-device="oven"] a');
    await own.waitForSelector('tr[data-path="settings.target"]', { timeout: 60_000 });
    // Values may come before the names that a declaration has for them.
    await expect
      .poll(() => own.locator('table.values caption').allTextContents(), PATIENT)
      .toEqual(['炉温', '设置']);
    await expect.poll(() => text(own, 'tr[data-path="settings.target"] th'), PATIENT).toBe('目标温度');
    await expect.poll(() => own.locator('form.command[aria-label="设定温度"]').count(), PATIENT).toBe(1);
    await expect.poll(() => own.locator('html').getAttribute('lang'), PATIENT).toBe('zh-CN');
    await chinese.close();
  });

  it('a second tab shows what the first one did, and goes on without it', async () => {
    await run();
    await openOven(page);
    const second = await context.newPage();
    await openOven(second);
    await send(page, '设定温度', '77');
    const target = (): Promise<string> => text(second, 'tr[data-path="settings.target"] .number');
    await expect.poll(target, PATIENT).toContain('77');
    await page.close();
    await send(second, '设定温度', '88');
    await expect.poll(target, PATIENT).toContain('88');
  });
});
