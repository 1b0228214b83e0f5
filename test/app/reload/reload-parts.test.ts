import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigOutcome } from '../../../src/app/reload/config-applier.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { MessageFiles } from '../../../src/config/message-files.ts';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { DeviceWatcher } from '../../support/device-watcher.ts';
import { freePort } from '../../support/free-port.ts';
import { needs } from '../../support/needs.ts';
import { PythonPeer } from '../../support/python-peer.ts';
import { comings, inWords, reload } from '../../support/reload.ts';
import { startBridge } from '../../support/test-bridge.ts';

const FAST =
  'defaults: { heartbeat: { interval: 500ms, missed: 3 }, reconnect: { initial: 200ms, max: 500ms } }\n';
const device = (id: string, port: number, more = '') =>
  `  - { id: ${id}, link: "tcp:127.0.0.1:${port}", register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }${more} }\n`;
const yaml = (...devices: string[]) => `${FAST}devices:\n${devices.join('')}`;
const listeners = (...each: string[]) => `${FAST}listeners: [${each.join(', ')}]\n`;
const listener = (port: number, more = '') => `{ link: "tcp-listen:127.0.0.1:${port}"${more} }`;
const SLOWER = ', heartbeat: { interval: 600ms }';
const BAD = ', heartbeat: { interval: 600 }';
const ONLINE = 'online, link connected';
const UNANNOUNCED = '490154203237518';

/** Takes a port and gives it back. */
describe.runIf(needs('python3').run)('a device whose new version is wrong', () => {
  it('goes on with its last good one while others change, and is named', async () => {
    const a = await PythonPeer.serve();
    const b = await PythonPeer.serve();
    await using _a = a.peer;
    await using _b = b.peer;
    await using bridge = await startBridge(yaml(device('a', a.port), device('b', b.port)));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('a', ONLINE);
    await watcher.sees('b', ONLINE);
    const outcome = await reload(bridge, yaml(device('a', a.port, BAD), device('b', b.port, SLOWER)));
    expect(inWords(outcome)).toBe('~b =a');
    await watcher.sees('b', ONLINE, ONLINE);
    expect(comings(a.peer)).toEqual({ connected: 1, disconnected: 0 });
    await expect
      .poll(() => watcher.document('bridge/status')?.config)
      .toMatchObject({
        generation: 2,
        kept: ['a'],
        applied: { changed: ['b'] },
        problems: [expect.stringMatching(/^test\.yaml:4:\d+: error: devices\[0\]\.heartbeat\.interval: /)],
      });
    // Mended as it was: nothing has to begin anew.
    expect(inWords(await reload(bridge, yaml(device('a', a.port), device('b', b.port, SLOWER))))).toBe('');
    await expect
      .poll(() => watcher.document('bridge/status')?.config)
      .toMatchObject({ generation: 3, kept: [], problems: [] });
    expect(comings(a.peer)).toEqual({ connected: 1, disconnected: 0 });
  });

  it('is shown as failed where there is no earlier one, until it is fixed or taken out', async () => {
    const a = await PythonPeer.serve();
    await using _a = a.peer;
    await using bridge = await startBridge(yaml(device('a', a.port)));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await reload(bridge, yaml(device('a', a.port), device('n', a.port, BAD), device('o', a.port, BAD)));
    await watcher.sees('n', 'unknown, link failed (config_invalid)');
    await watcher.sees('o', 'unknown, link failed (config_invalid)');
    await reload(bridge, yaml(device('a', a.port), device('o', a.port)));
    await watcher.sees('o', ONLINE);
    await expect.poll(() => watcher.document('devices/n/state')).toBeUndefined();
  });

  it('is no reason to touch anything where the file as a whole cannot be used', async () => {
    const a = await PythonPeer.serve();
    await using _a = a.peer;
    await using bridge = await startBridge(yaml(device('a', a.port)));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('a', ONLINE);
    for (const broken of ['devices: [', '', 'defaults: { heartbeat: { interval: 3 } }', '\t- x']) {
      expect(inWords(await bridge.bridge.apply(loadConfig(broken, 'test.yaml')))).toBe('rejected');
    }
    expect(comings(a.peer)).toEqual({ connected: 1, disconnected: 0 });
    const config = () => watcher.document('bridge/status')?.config;
    await expect.poll(config).toMatchObject({ generation: 1, rejected_at: expect.any(Number) });
    await reload(bridge, yaml(device('a', a.port)));
    await expect.poll(config).toMatchObject({ generation: 2, problems: [] });
    expect(config()).not.toHaveProperty('rejected_at');
    expect(comings(a.peer)).toEqual({ connected: 1, disconnected: 0 });
  });
});

describe.runIf(needs('python3').run)('what devices speak', () => {
  const messages = (a: string, b: string): MessageFiles => {
    const file = (unit: string) =>
      loadMessages(
        `version: 1\nmessages:\n  - { name: t, id: 0x10, from: device, fields: [{ name: v, type: u8, unit: ${unit} }] }\n`,
        'm.yaml',
      );
    return new Map([
      ['a.yaml', file(a)],
      ['b.yaml', file(b)],
    ]);
  };

  it('starts exactly those anew that speak it', async () => {
    const a = await PythonPeer.serve();
    const b = await PythonPeer.serve();
    await using _a = a.peer;
    await using _b = b.peer;
    const text = yaml(device('a', a.port, ', messages: a.yaml'), device('b', b.port, ', messages: b.yaml'));
    await using bridge = await startBridge(yaml());
    await reload(bridge, text, messages('V', 'A'));
    await expect.poll(() => comings(a.peer).connected + comings(b.peer).connected).toBe(2);
    expect(inWords(await reload(bridge, text, messages('V', 'A')))).toBe('');
    expect(inWords(await reload(bridge, text, messages('V', 'mA')))).toBe('~b');
    await expect.poll(() => comings(b.peer)).toEqual({ connected: 2, disconnected: 1 });
    expect(comings(a.peer)).toEqual({ connected: 1, disconnected: 0 });
    const declared = bridge.bridge.directory.get('b')?.messages?.declarations[0];
    expect(declared).toMatchObject({ fields: [{ unit: 'mA' }] });
  });
});

describe.runIf(needs('python3').run)('listeners', () => {
  const shown = (watcher: DeviceWatcher) => watcher.document('bridge/status')?.listeners;

  it('come and go, and leave those alone that stay, with the links that they accepted', async () => {
    const [first, second] = [await freePort(), await freePort()];
    await using bridge = await startBridge(listeners(listener(first)));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await using peer = PythonPeer.dial(first);
    await watcher.sees(UNANNOUNCED, ONLINE);
    await reload(bridge, listeners(listener(second), listener(first)));
    await expect
      .poll(() => shown(watcher))
      .toMatchObject([
        { address: `127.0.0.1:${first}`, status: 'listening', connections: 1 },
        { address: `127.0.0.1:${second}`, status: 'listening', connections: 0 },
      ]);
    expect(comings(peer)).toEqual({ connected: 1, disconnected: 0 });
    await reload(bridge, listeners(listener(second)));
    await expect.poll(() => shown(watcher)).toMatchObject([{ address: `127.0.0.1:${second}` }]);
    await expect.poll(() => watcher.document(`devices/${UNANNOUNCED}/state`)).toBeUndefined();
    await peer.waitFor(({ event }) => event === 'refused');
  });

  it('take other bounds without a link being lost, and start their devices anew where these live otherwise', async () => {
    const port = await freePort();
    await using bridge = await startBridge(listeners(listener(port)));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await using peer = PythonPeer.dial(port);
    await watcher.sees(UNANNOUNCED, ONLINE);
    await reload(bridge, listeners(listener(port, ', max_connections: 1')));
    await using refused = PythonPeer.dial(port, '--imei', '356938035643809');
    await refused.waitFor(({ event }) => event === 'disconnected');
    expect(comings(peer)).toEqual({ connected: 1, disconnected: 0 });
    await reload(bridge, listeners(listener(port, SLOWER)));
    await watcher.sees(UNANNOUNCED, 'offline (reconfigured), link disabled', ONLINE);
    expect(bridge.bridge.directory.get(UNANNOUNCED)?.settings.heartbeat.intervalMs).toBe(600);
    await reload(bridge, listeners(listener(port, ', unknown: refuse')));
    await expect.poll(() => watcher.document(`devices/${UNANNOUNCED}/state`)).toBeUndefined();
  });

  it('that cannot be opened are tried again, and hold up nothing', async () => {
    const port = await freePort();
    const taken: Server = createServer().listen(port, '127.0.0.1');
    await once(taken, 'listening');
    await using bridge = await startBridge('listeners: []\n');
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await reload(bridge, listeners(listener(port)));
    await expect.poll(() => shown(watcher)).toMatchObject([{ status: 'backoff', reason: 'address_in_use' }]);
    taken.close();
    await expect
      .poll(() => shown(watcher), { timeout: 10_000 })
      .toMatchObject([{ address: `127.0.0.1:${port}`, status: 'listening' }]);
    await using _peer = PythonPeer.dial(port);
    await watcher.sees(UNANNOUNCED, ONLINE);
  });
});

describe('the server', () => {
  const WITH =
    'server: { port: 0, origins: ["https://panel.example"], hosts: [bench.example] }\ndevices: []\n';
  const asks = async (url: string, headers: Record<string, string>) =>
    (await fetch(`${url}/api/devices`, { headers })).status;

  it('admits other pages at once', async () => {
    await using bridge = await startBridge('devices: []\n');
    const origin = { Origin: 'https://panel.example' };
    expect(await asks(bridge.url, origin)).toBe(403);
    const outcome = await reload(bridge, WITH.replace(/^.*\n/, ''));
    expect(outcome.diff?.settings).toEqual([]);
    const changed = await bridge.bridge.apply(loadConfig(WITH, 'test.yaml'));
    expect(changed.diff?.settings).toEqual(['server.hosts', 'server.origins']);
    expect(await asks(bridge.url, origin)).toBe(200);
    await bridge.bridge.apply(loadConfig('server: { port: 0 }\ndevices: []\n', 'test.yaml'));
    expect(await asks(bridge.url, origin)).toBe(403);
  });

  it('keeps its former tokens where the new ones cannot be had, and says so', async () => {
    await using bridge = await startBridge('devices: []\n');
    const text = 'access: { jwt: { public_key_file: no-such-file.pem } }\ndevices: []\n';
    const outcome = await reload(bridge, text);
    const errors = ({ problems }: ConfigOutcome) => problems.filter(({ severity }) => severity === 'error');
    expect(errors(outcome)).toMatchObject([{ code: 'config_key_unreadable', path: 'access' }]);
    expect(outcome.diff?.settings).toEqual([]);
    expect(await asks(bridge.url, {})).toBe(200);
    // It is tried again by every reload.
    expect(errors(await reload(bridge, text))).toHaveLength(1);
    const hash = `sha256:${'0'.repeat(64)}`;
    const tokens = `access: { tokens: [{ name: panel, hash: "${hash}", roles: read, topics: "#" }] }\ndevices: []\n`;
    expect((await reload(bridge, tokens)).diff?.settings).toEqual(['access']);
    expect(await asks(bridge.url, {})).toBe(401);
  });

  it('says what needs a restart until it is taken back', async () => {
    await using bridge = await startBridge('devices: []\n');
    const apply = (text: string) => bridge.bridge.apply(loadConfig(text, 'test.yaml'));
    const keys = ['files', 'recording', 'server.port'];
    const other = 'server: { port: 1 }\nfiles: { dir: files }\nrecording: { dir: elsewhere }\ndevices: []\n';
    expect((await apply(other)).diff?.needsRestart).toEqual(keys);
    expect((await apply(other)).diff?.needsRestart).toEqual(keys);
    expect((await apply('server: { port: 0 }\ndevices: []\n')).diff?.needsRestart).toEqual([]);
  });
});

describe.runIf(needs('python3').run)('recordings and files', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const traces = async (id: string) => {
    const names = (await readdir(folder)).filter((name) => name.startsWith(`${id}.`)).sort();
    return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  };

  it('go on for a device that did not change, begin anew for one that did, and for one that came', async () => {
    const served = await Promise.all([PythonPeer.serve(), PythonPeer.serve(), PythonPeer.serve()]);
    const [a, b, c] = served;
    try {
      const recording = `recording: { dir: "${folder}" }\n`;
      const on = ', record: true';
      const before = yaml(device('a', a.port, on), device('b', b.port, on));
      const after = yaml(device('a', a.port, on), device('b', b.port, on + SLOWER), device('c', c.port, on));
      {
        await using bridge = await startBridge(recording + before);
        await using watcher = await DeviceWatcher.connect(bridge.url);
        await watcher.sees('a', ONLINE);
        await watcher.sees('b', ONLINE);
        await reload(bridge, recording + after);
        await watcher.sees('b', ONLINE, ONLINE);
        await watcher.sees('c', ONLINE);
        await expect.poll(async () => (await traces('b')).length).toBe(2);
      }
      const [ofA, ...moreOfA] = await traces('a');
      expect(moreOfA).toEqual([]);
      expect(ofA?.match(/ = open /g)).toHaveLength(1);
      const ofB = await traces('b');
      const [first = '', second = ''] = ['500ms', '600ms'].map((each) =>
        ofB.find((text) => text.includes(`interval=${each}`)),
      );
      expect(first).toMatch(/ = close /);
      expect(first).toMatch(/#end/);
      expect(second.match(/ = open /g)).toHaveLength(1);
      expect(await traces('c')).toHaveLength(1);
    } finally {
      await Promise.all(served.map(({ peer }) => peer.kill()));
    }
  });

  it('may begin with a reload where nothing was recorded before', async () => {
    const { peer, port } = await PythonPeer.serve();
    await using _ = peer;
    const text = (more: string) => `recording: { dir: "${folder}" }\n${yaml(device('a', port, more))}`;
    {
      await using bridge = await startBridge(text(''));
      await using watcher = await DeviceWatcher.connect(bridge.url);
      await watcher.sees('a', ONLINE);
      expect(await traces('a')).toEqual([]);
      await reload(bridge, text(', record: true'));
      await watcher.sees('a', ONLINE, ONLINE);
      await expect
        .poll(() => watcher.document('bridge/status')?.recording)
        .toMatchObject({ status: 'recording', devices: 1 });
      await reload(bridge, text(''));
      await watcher.sees('a', ONLINE, ONLINE, ONLINE);
    }
    const [only = '', ...others] = await traces('a');
    expect(others).toEqual([]);
    expect(only.match(/ = (?:open|close) /g)).toHaveLength(2);
  });
});
