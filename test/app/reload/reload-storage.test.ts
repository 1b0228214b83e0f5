import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { DeviceWatcher } from '../../support/device-watcher.ts';
import { startBridge } from '../../support/test-bridge.ts';

const REST =
  'devices: [{ id: rack, link: "tcp:127.0.0.1:1", session: none, reconnect: { initial: 60s, max: 60s } }]';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-reload-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('what is kept on the disk, after a reload', () => {
  it('is kept by the new limits, and a folder that changed waits for a restart', async () => {
    const started = `black_box: { after: 10m }\n${REST}`;
    await using running = await startBridge(started, undefined, undefined, undefined, {
      dir: join(dir, 'incidents'),
    });
    const { bridge } = running;
    const reload = async (yaml: string) => {
      const { diff } = await bridge.apply(loadConfig(`server: { port: 0 }\n${yaml}`, 'test.yaml'));
      return { settings: diff?.settings, needsRestart: diff?.needsRestart };
    };
    expect(await reload(`black_box: { after: 0s, dir: elsewhere }\n${REST}`)).toEqual({
      settings: ['black_box.after'],
      needsRestart: ['black_box.dir'],
    });
    const incidents = () => bridge.store.document('bridge/incidents');
    expect(incidents()).toMatchObject({ dir: join(dir, 'incidents'), files: 0 });
    await using watcher = await DeviceWatcher.connect(running.url, ['devices/rack/state']);
    const note = { message: 'note', fields: { text: 'smoke' } };
    watcher.send({ type: 'command', id: 'n', device: 'rack', ...note });
    expect((await watcher.reply('n')).payload).toMatchObject({ result: { incident: true } });
    // With ten minutes that come after it, there would be none for as long.
    await expect.poll(incidents, { timeout: 20_000 }).toMatchObject({ files: 1 });
  });
});
