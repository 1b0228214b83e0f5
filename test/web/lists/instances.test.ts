import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../../support/chromium.ts';
import { hasRedis, RedisServer } from '../../support/redis-server.ts';
import { RunningProgram } from '../../support/running-program.ts';

const PATIENT = { timeout: 60_000, interval: 200 };

describe.runIf(hasChromium && hasRedis)('the page of one of several instances', { timeout: 180_000 }, () => {
  it('shows all of them, their clients, and in both languages which of them is gone and why', async () => {
    await using redis = await RedisServer.start();
    const folder = await mkdtemp(join(tmpdir(), 'heartwire-instances-page-'));
    const run = async (instance: string, kind: 'run' | 'gateway', devices = '') => {
      const shared = `backplane: { url: "${redis.url}", instance: ${instance}, lease: 5s }\n`;
      await writeFile(join(folder, `${instance}.yaml`), shared + devices);
      const program = new RunningProgram([kind, `${instance}.yaml`, '--port', '0', '--quiet'], folder);
      return { program, url: await program.said(/Heartwire is at (\S+)/) };
    };
    const browser = await launchChromium();
    const north = await run(
      'north',
      'run',
      'devices:\n  - { id: pump, link: "tcp:127.0.0.1:1", role: server }\n',
    );
    const gateway = await run('gateway', 'gateway');
    try {
      const open = async (url: string, locale: string): Promise<Page> => {
        const page = await browser.newPage({ locale });
        page.setDefaultTimeout(60_000);
        await page.goto(`${url}/#/bridge`);
        return page;
      };
      const [page, chinese] = [await open(gateway.url, 'en'), await open(gateway.url, 'zh-CN')];
      const other = await open(north.url, 'en');
      const rowOf = (of: Page, instance: string) => of.locator('#instances tr', { hasText: instance });
      await rowOf(page, 'gateway').getByText('this one').waitFor();
      await rowOf(page, 'north').getByText('ready').waitFor();
      await rowOf(chinese, 'north').getByText('就绪').waitFor();
      const panel = page.locator('section.panel', { has: page.getByRole('heading', { name: 'Clients' }) });
      const clients = () => panel.locator('tbody tr td:nth-of-type(1)');
      await expect
        .poll(async () => (await clients().allTextContents()).sort(), PATIENT)
        .toEqual(['gateway', 'gateway', 'north']);
      await other.close();
      north.program.child.kill('SIGKILL');
      await rowOf(page, 'north').getByText('owner lost: the instance north is gone').waitFor();
      await rowOf(chinese, 'north').getByText('所属实例已离开').waitFor();
      await redis.kill();
      await page.goto(`${gateway.url}/#/devices/pump`);
      await page.getByText('backplane lost').first().waitFor();
      await chinese.goto(`${gateway.url}/#/devices/pump`);
      await chinese.getByText('多实例总线断开').first().waitFor();
    } finally {
      await browser.close();
      for (const { program } of [north, gateway]) {
        program[Symbol.dispose]();
        await program.exited;
      }
      await rm(folder, { recursive: true, force: true });
    }
  });
});
