import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Bridge } from '../../src/app/bridge.ts';
import { connect, type FeedEvent } from '../../src/client/index.ts';
import { openSecrets, type SecretProblem } from '../../src/client/secret.ts';
import { readConfig } from '../../src/config/read.ts';
import { systemClock } from '../../src/system/clock.ts';
import { needs } from '../support/needs.ts';
import { PythonPeer } from '../support/python-peer.ts';

const IMEI = '490154203237518';

const configuration = (port: number, secrecy: string) => `
server: { port: 0 }
defaults: { heartbeat: { interval: 500ms } }
devices:
  - { id: psu-1, link: "tcp:127.0.0.1:${port}", register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "${IMEI}" } }
${secrecy}`;

const secrecyWith = (key: string) => `
secrecy:
  keys: [{ id: ${key}, file: ${key}.key }]
  topics: [{ pattern: devices/psu-1/#, key: ${key} }]`;

describe.runIf(needs('python3').run)('a bridge that encrypts what a device says', () => {
  let dir: string;
  let file: string;
  const keys: Record<string, string> = {};
  const said: string[] = [];

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heartwire-secrecy-'));
    file = join(dir, 'devices.yaml');
    said.length = 0;
    for (const id of ['first', 'second']) {
      keys[id] = randomBytes(32).toString('base64');
      await writeFile(join(dir, `${id}.key`), `${keys[id]}\n`);
    }
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  async function started(): Promise<{ bridge: Bridge; url: string }> {
    const { config, failed, problems } = await readConfig(file);
    if (config === undefined) throw new Error(JSON.stringify(problems));
    const note = (fields: object, text: string) => void said.push(`${JSON.stringify(fields)} ${text}`);
    const log = { info: note, warn: note, error: note };
    const bridge = new Bridge({ config, failed, clock: systemClock, log, version: '0.0.0-test' });
    return { bridge, url: (await bridge.start()).url };
  }

  it('shows it to who holds the key, to nobody else, and under a new key without a restart', async () => {
    const { peer, port } = await PythonPeer.serve();
    await writeFile(file, configuration(port, secrecyWith('first')));
    const { bridge, url } = await started();
    const problems: SecretProblem[] = [];
    const decode = openSecrets({
      keys: (id) => (id === 'first' ? keys.first : undefined),
      onProblem: (problem) => void problems.push(problem),
    });
    const reader = connect(url, { WebSocket, topics: ['devices/#'], decode });
    // By name: heartbeats are events for such patterns alone.
    const stranger = connect(url, { WebSocket, topics: ['devices/psu-1/#'] });
    const heard: FeedEvent[] = [];
    stranger.on('item', (item) => void (item.kind === 'event' && heard.push(item)));
    try {
      await expect.poll(() => reader.view.get('psu-1')?.status).toBe('online');
      expect(reader.view.get('psu-1')?.link).toMatchObject({ status: 'connected' });
      expect(Object.keys(stranger.view.get('psu-1') ?? {})).toEqual(['$jwe']);
      await expect.poll(() => heard.length).toBeGreaterThan(0);
      expect(heard.map(({ data }) => Object.keys(data))).toEqual(heard.map(() => ['$jwe']));

      expect(await reader.command('psu-1', 'heartbeat')).toMatchObject({ fields: {} });
      expect(await reader.command('psu-1', 'datetime')).toMatchObject({
        fields: { datetime: expect.stringMatching(/^\d{4}-/) },
      });
      const answer = await stranger.command('psu-1', 'datetime');
      expect(answer).toMatchObject({ error: 0, fields: { $jwe: expect.any(String) } });
      expect(JSON.stringify(answer)).not.toMatch(/\d{4}-\d\d-\d\d/);
      expect(await stranger.command('psu-1', '$messages')).toMatchObject({ messages: [] });
      const api = await (await fetch(`${url}/api/devices`)).text();
      expect(api).toContain('$jwe');
      expect(api).not.toMatch(/online|connected|127\.0\.0\.1/);

      // The file of the key that is in use is not what says which key that is: the configuration does.
      await writeFile(file, configuration(port, secrecyWith('second')));
      const outcome = await bridge.apply(await readConfig(file));
      expect(outcome.diff).toMatchObject({ settings: ['secrecy'], needsRestart: [] });
      await expect.poll(() => problems.at(-1)).toMatchObject({ reason: 'key_unknown', keyId: 'second' });
      const newcomer = connect(url, {
        WebSocket,
        topics: ['devices/+/state'],
        decode: openSecrets({ keys }),
      });
      await expect.poll(() => newcomer.view.get('psu-1')?.status).toBe('online');
      newcomer.close();
      // The link to the device was none of its business.
      expect(peer.events.filter(({ event }) => event === 'connected')).toHaveLength(1);
      expect(said.join('\n')).not.toContain(keys.first);
    } finally {
      reader.close();
      stranger.close();
      await bridge[Symbol.asyncDispose]();
      await peer.kill();
    }
  });

  it('goes on as before where the new key cannot be had, and says nothing in the open', async () => {
    const { peer, port } = await PythonPeer.serve();
    await writeFile(file, configuration(port, secrecyWith('first')));
    const { bridge, url } = await started();
    try {
      await expect.poll(async () => (await fetch(`${url}/api/devices`)).text()).toContain('$jwe');
      await writeFile(file, configuration(port, secrecyWith('third')));
      const outcome = await bridge.apply(await readConfig(file));
      expect(outcome.diff).toBeUndefined();
      expect(outcome.problems).toMatchObject([
        { code: 'config_bad_key', path: 'secrecy.keys[0].file', line: 8 },
      ]);
      expect(await (await fetch(`${url}/api/devices`)).text()).toContain('$jwe');
    } finally {
      await bridge[Symbol.asyncDispose]();
      await peer.kill();
    }
  });
});
