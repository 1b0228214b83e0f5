import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedDevice } from '../../src/simulator/simulated-device.ts';
import { systemClock } from '../../src/system/clock.ts';
import { replay, traceFixture } from '../../src/testing/index.ts';
import { readProjectFile } from '../support/project-files.ts';
import { startBridge } from '../support/test-bridge.ts';
import { runCli } from './check-io.ts';

const text = readProjectFile('docs/reference/incidents.md');
const block = (language: string): string =>
  new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? '';
const WRITTEN_ID = 'psu-1.20260101T030000000Z';
const PATIENCE = { timeout: 30_000, interval: 50 };
const APPID = '996da38d-a7be-4947-aa4c-f8208b5f4ade';
const IMEI = '869858030720693';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-incidents-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A line of the document without its comment, as words behind `heartwire`. */
const words = (line: string): string[] =>
  (line.split(/\s+#/)[0] ?? '')
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(1);

describe('docs/reference/incidents.md', () => {
  it('shows commands and a test that work on a device that is killed at a random moment', async () => {
    const device = new SimulatedDevice(
      {
        name: 'psu-1',
        address: { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 },
        identity: { appid: APPID, imei: IMEI },
      },
      { clock: systemClock, random: () => 0.5 },
    );
    await device.start();
    const register = `register: { appid: ${APPID}, imei: "${IMEI}" }`;
    const entry = `{ id: psu-1, link: "tcp:${device.listeningAt}", ${register}, heartbeat: { interval: 500ms } }`;
    const box = { dir: join(folder, 'incidents'), beforeMs: 1_000, afterMs: 200 };
    await using test = await startBridge(`devices: [${entry}]`, undefined, undefined, undefined, box);
    const env = { HEARTWIRE_URL: test.url };
    const status = () => test.bridge.store.document('devices/psu-1/state')?.status;
    await expect.poll(status, PATIENCE).toBe('online');
    await pause(200 + Math.random() * 1_500);
    await device[Symbol.asyncDispose]();
    await expect.poll(status, PATIENCE).toBe('offline');
    const listed = async () => (await runCli(['incidents'], folder, env)).out;
    await expect.poll(listed, PATIENCE).toContain('offline');
    const [id = ''] = (await listed()).split(' ');
    const lines = block('sh').replaceAll(WRITTEN_ID, id).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      const outcome = await runCli(words(line), folder, env);
      expect(outcome, line).toMatchObject({ code: 0 });
      if (line.includes(`incidents ${id}  `)) expect(outcome.out).toMatch(/incident of psu-1: offline/);
    }
    expect(await readFile(join(folder, 'incident.jsonl'), 'utf8')).toContain('"status":"offline"');
    const [, body = ''] = /^it\('[^']*', \(\) => \{\n([\s\S]*?)^\}\);/m.exec(block('ts')) ?? [];
    expect(body).not.toBe('');
    // The page is ours, and what it shows is to be run as it stands.
    new Function('replay', 'traceFixture', 'expect', body)(
      replay,
      (path: string) => traceFixture(join(folder, path)),
      expect,
    );
  });

  it('says of a bridge that is not there, and of an incident that is not, what to do', async () => {
    const gone = await runCli(['incidents'], folder, { HEARTWIRE_URL: 'http://127.0.0.1:9' });
    expect(gone).toMatchObject({ code: 1, err: expect.stringContaining('could not be reached') });
    await using test = await startBridge('devices: []', undefined, undefined, undefined, {
      dir: join(folder, 'incidents'),
    });
    const env = { HEARTWIRE_URL: test.url };
    expect(await runCli(['incidents'], folder, env)).toMatchObject({ out: 'There are no incidents.\n' });
    expect(await runCli(['incidents', 'psu-1.x'], folder, env)).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no incident "psu-1.x"'),
    });
    expect(await runCli(['incidents', '-o', 'x'], folder, env)).toMatchObject({ code: 2 });
  });
});
