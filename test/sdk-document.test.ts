import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SimulatedFleet } from '../src/simulator/simulated-fleet.ts';
import { hasChromium, launchChromium } from './support/chromium.ts';
import { ProgramFolder } from './support/program-folder.ts';
import { PROJECT_ROOT, readProjectFile } from './support/project-files.ts';
import { dialIn, QUICK_HEARTBEAT, SIMULATED_IMEI } from './support/simulated-device.ts';
import { startBridge, type TestBridge } from './support/test-bridge.ts';

const document = readProjectFile('docs/reference/sdk.md');

function blocks(language: string): readonly string[] {
  return [...document.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
    ([, text = '']) => text,
  );
}

const [page = ''] = blocks('html');
const programs = blocks('js');
const CLIENT = join(PROJECT_ROOT, 'dist/browser/heartwire-client.js');

describe('docs/reference/sdk.md', () => {
  let bridge: TestBridge;
  let fleet: SimulatedFleet;
  let folder: ProgramFolder;
  let site: Server;
  let origin: string;

  beforeAll(async () => {
    site = createServer(async (request, response) => {
      const script = request.url === '/heartwire-client.js';
      response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html; charset=utf-8');
      response.end(script ? await readFile(CLIENT) : here(page));
    });
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
    // A listening TCP server has an address with a port.
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    bridge = await startBridge(
      `${QUICK_HEARTBEAT}
devices: [{ id: psu-1, match: { imei: "${SIMULATED_IMEI}" } }]
listeners: [{ link: "tcp-listen:127.0.0.1:0" }]
`,
      `{ port: 0, origins: ["${origin}"] }`,
    );
    fleet = await dialIn(bridge.devicePort);
    folder = await ProgramFolder.make();
    await vi.waitFor(() => {
      expect(bridge.bridge.store.document('devices/psu-1/state')?.status).toBe('online');
    }, 30_000);
  });
  afterAll(async () => {
    site.close();
    await fleet[Symbol.asyncDispose]();
    await bridge[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** The text with the port that was free here, and not another letter changed. */
  const here = (text: string): string => text.replaceAll('127.0.0.1:8080', new URL(bridge.url).host);

  async function run(program: string) {
    const { code, said } = await folder.start(here(program));
    return { code: await code, said: said() };
  }

  it('has these programs, and each has a test', () => {
    expect(blocks('html')).toHaveLength(1);
    expect(blocks('ts')).toHaveLength(1);
    expect(
      programs.map((text) =>
        /for await \(const (\S+)|client\.(command)|(useSync)|(openSecrets)/.exec(text)?.slice(1).join(''),
      ),
    ).toEqual(['{', 'item', 'command', 'useSync', 'openSecrets']);
  });

  it('follows the states of devices', async () => {
    const { code, said } = await run(programs[0] ?? '');
    expect([code, said]).toEqual([0, expect.stringContaining('psu-1 online')]);
  });

  it('follows events, with acknowledgements', async () => {
    const { code, said } = await run(programs[1] ?? '');
    expect([code, said]).toEqual([0, expect.stringMatching(/\[ 'psu-1' \]\npsu-1 \w+/)]);
  });

  it('sends commands', async () => {
    const { code, said } = await run(programs[2] ?? '');
    expect([code, said]).toEqual([
      0,
      expect.stringMatching(
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n1 clients heard it\n1 clients are connected\n$/,
      ),
    ]);
  });

  it('gives React what its store wants', async () => {
    const { code, said } = await run(`${programs[3] ?? ''}
      import { createElement as h } from 'react';
      import { act, create } from 'react-test-renderer';
      import { connect } from 'heartwire/client';
      import { WebSocket } from 'ws';
      globalThis.IS_REACT_ACT_ENVIRONMENT = true;
      console.error = (text) => { if (!String(text).includes('deprecated')) console.log(text); };
      const client = connect('http://127.0.0.1:8080', { WebSocket, topics: ['devices/+/state'] });
      const Row = ({ id }) => h('li', null, id + ' ' + useDevice(client, id)?.status);
      const List = () => h('ul', { className: useStatus(client).state },
        [...useDevices(client)].sort().map((id) => h(Row, { id, key: id })));
      let page;
      await act(() => { page = create(h(List)); });
      console.log(JSON.stringify(page.toJSON()));
      await act(() => client.connected());
      console.log(JSON.stringify(page.toJSON()));
      await act(() => page.unmount());
      client.close();`);
    const list = (state: string, children: string): string =>
      `{"type":"ul","props":{"className":"${state}"},"children":${children}}\n`;
    const row = '{"type":"li","props":{},"children":["psu-1 online"]}';
    expect([code, said]).toEqual([0, list('connecting', 'null') + list('connected', `[${row}]`)]);
  });

  it('opens what is encrypted', async () => {
    const key = randomBytes(32).toString('base64');
    await mkdir(join(folder.path, 'keys'));
    await writeFile(join(folder.path, 'keys/bench-2026.key'), key);
    const { config } = bridge;
    const keys = new Map([['bench-2026', Buffer.from(key, 'base64')]]);
    const rules = [{ pattern: 'devices/psu-1/#', key: 'bench-2026' }];
    const sealed = { ...config, secrecy: { keys, rules } };
    await bridge.bridge.apply({ config: sealed, failed: [], problems: [] });
    try {
      await expect.poll(() => bridge.bridge.store.document('devices/psu-1/state')).toHaveProperty('$jwe');
      const { code, said } = await run(programs[4] ?? '');
      expect([code, said]).toEqual([0, 'online\n']);
    } finally {
      await bridge.bridge.apply({ config, failed: [], problems: [] });
    }
  });

  describe.runIf(hasChromium)('the page of another origin in Chromium', () => {
    it('shows what is live, and says how true it is', async () => {
      await using browser = await launchChromium();
      const tab = await browser.newPage();
      await tab.goto(origin);
      await expect.poll(() => tab.locator('#devices').textContent()).toBe('psu-1: online');
      expect(await tab.title()).toBe('Devices: connected');
      const served = JSON.stringify(new URL('/heartwire-client.js', bridge.url));
      expect(await tab.evaluate(`import(${served}).then(({ connect }) => typeof connect)`)).toBe('function');
      for (const each of fleet.devices) each.freeze();
      await expect.poll(() => tab.locator('#devices').textContent()).toBe('psu-1: offline');
      for (const each of fleet.devices) each.thaw();
      await expect.poll(() => tab.locator('#devices').textContent()).toBe('psu-1: online');
    });
  });

  it('explains every code of the client', () => {
    const rows = [...document.matchAll(/^\| `([a-z_]+)` \| [A-Z].{10,} \|$/gm)].map(([, code]) => code);
    const [, union = ''] =
      /type ClientErrorCode =([^;]+);/.exec(readProjectFile('src/client/client-error.ts')) ?? [];
    const codes = [...union.matchAll(/'([a-z_]+)'/g)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(5);
    expect(rows).toEqual(codes);
  });
});
