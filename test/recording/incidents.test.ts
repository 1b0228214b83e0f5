import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import type { IncidentDocument } from '../../src/contract/feed/index.ts';
import { SimulatedDevice } from '../../src/simulator/simulated-device.ts';
import { systemClock } from '../../src/system/clock.ts';
import { replay, traceFixture } from '../../src/testing/index.ts';
import { dialIn, QUICK_HEARTBEAT, SIMULATED_IMEI } from '../support/simulated-device.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const APPID = '996da38d-a7be-4947-aa4c-f8208b5f4ade';
const PATIENCE = { timeout: 20_000, interval: 50 };

/** Two questions in turn, whose answers look alike. */
const SUPPLY = `
version: 1
protocol: { framing: { type: delimiter, delimiter: "\\n" } }
messages:
  - name: voltage
    from: host
    poll: 200ms
    fields: [{ name: query, type: text, value: "VOLT?" }]
    reply: { fields: [{ name: volts, type: number, length: rest }] }
  - name: current
    from: host
    poll: 300ms
    fields: [{ name: query, type: text, value: "CURR?" }]
    reply: { fields: [{ name: amperes, type: number, length: rest }] }
`;
/** Volts are below 1,000 and grow; amperes are above. */
const moving = (path: string, { elapsedMs }: { readonly elapsedMs: number }): number =>
  path.startsWith('voltage') ? Math.floor(elapsedMs / 100) : 1_000 + Math.floor(elapsedMs / 100);

let dir: string;
beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'heartwire-incidents-')), 'incidents');
});
afterEach(async () => {
  await rm(join(dir, '..'), { recursive: true, force: true });
});

async function incidents({ url }: TestBridge): Promise<IncidentDocument[]> {
  const body: { incidents: IncidentDocument[] } = JSON.parse(
    await (await fetch(`${url}/api/incidents`)).text(),
  );
  return body.incidents;
}
const statusOf = ({ bridge }: TestBridge, device: string) =>
  bridge.store.document(`devices/${device}/state`)?.status;

/** A device that listens, and the entry with which it is dialled. */
async function listening() {
  const device = new SimulatedDevice(
    {
      name: 'psu-1',
      address: { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 },
      identity: { appid: APPID, imei: SIMULATED_IMEI },
    },
    { clock: systemClock, random: () => 0.5 },
  );
  await device.start();
  const register = `register: { appid: ${APPID}, imei: "${SIMULATED_IMEI}" }`;
  const entry = `{ id: psu-1, link: "tcp:${device.listeningAt}", ${register}, heartbeat: { interval: 200ms } }`;
  return { device, yaml: `devices: [${entry}]` };
}

describe('an incident', () => {
  it('of a dialled device that is gone replays to the same states, though its link opened long before', async () => {
    const { device, yaml } = await listening();
    const box = { dir, beforeMs: 600, afterMs: 300, maxBytes: 32 * 1_024 };
    await using test = await startBridge(yaml, undefined, undefined, undefined, box);
    await expect.poll(() => statusOf(test, 'psu-1'), PATIENCE).toBe('online');
    await pause(1_500);
    await device[Symbol.asyncDispose]();
    await expect.poll(() => incidents(test), PATIENCE).toHaveLength(1);
    const [incident] = await incidents(test);
    expect(incident).toMatchObject({ device: 'psu-1', reason: 'offline' });
    const { url } = test;
    const trace = await fetch(`${url}/api/incidents/${incident?.id}.trace`);
    expect(trace.status).toBe(200);
    const text = await trace.text();
    expect(text).toMatch(/\* this link opened at .* is not kept/);
    expect(text).toMatch(/\* incident of psu-1: offline/);
    expect(Buffer.byteLength(text)).toBe(incident?.bytes);
    const played = replay(traceFixture(join(dir, `${incident?.id}.trace`)));
    const lost = ((incident?.at ?? 0) - (incident?.from ?? 0)) / 1_000;
    expect(played.playTo(lost - 0.02).state.status).toBe('online');
    expect(played.playToEnd().state).toMatchObject({
      status: 'offline',
      reason: incident?.code,
      link: { status: 'backoff' },
    });
    expect(played.statuses.slice(0, 3)).toEqual(['unknown', 'registering', 'online']);
  });

  it('of a device that dialled in begins with its registration', async () => {
    const box = { dir, beforeMs: 60_000, afterMs: 100 };
    await using test = await startBridge(
      `listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\n${QUICK_HEARTBEAT}`,
      undefined,
      undefined,
      undefined,
      box,
    );
    const fleet = await dialIn(test.devicePort);
    const id = `dev-${SIMULATED_IMEI}`;
    const known = () => [...test.bridge.directory.all()].map((each) => each.id)[0] ?? id;
    await expect.poll(() => statusOf(test, known()), PATIENCE).toBe('online');
    await fleet[Symbol.asyncDispose]();
    await expect.poll(() => incidents(test), PATIENCE).toHaveLength(1);
    const [incident] = await incidents(test);
    const played = replay(traceFixture(join(dir, `${incident?.id}.trace`)));
    played.playToEnd();
    expect(played.statuses.slice(-2)).toEqual(['online', 'offline']);
  });

  it('of a polled device replays to the same values, asked as it was asked then', async () => {
    const { protocol } = loadMessages(SUPPLY, 'supply.yaml');
    if (protocol === undefined) throw new Error('The messages of the supply are wrong.');
    const device = new SimulatedDevice(
      {
        name: 'supply',
        address: { scheme: 'tcp-listen', host: '127.0.0.1', port: 0 },
        identity: { appid: APPID, imei: SIMULATED_IMEI },
        declared: { protocol, addresses: [1], seed: 1, model: moving },
      },
      { clock: systemClock, random: () => 0.5 },
    );
    await device.start();
    const files = new Map([['supply.yaml', { protocol, problems: [] }]]);
    const entry = `{ id: supply, link: "tcp:${device.listeningAt}", session: none, messages: supply.yaml, silence: 1s }`;
    const box = { dir, beforeMs: 1_000, afterMs: 100, maxBytes: 32 * 1_024 };
    await using test = await startBridge(`devices: [${entry}]`, undefined, undefined, files, box);
    await expect.poll(() => statusOf(test, 'supply'), PATIENCE).toBe('online');
    await pause(2_500);
    await device[Symbol.asyncDispose]();
    await expect.poll(() => incidents(test), PATIENCE).toHaveLength(1);
    const [incident] = await incidents(test);
    const live = test.bridge.store.document('devices/supply/state');
    const played = replay(traceFixture(join(dir, `${incident?.id}.trace`)), { messages: SUPPLY }).playToEnd();
    expect(played.state).toMatchObject({ status: 'offline', reason: incident?.code, values: live?.values });
    // The simulated device went on from value to value: each was asked for, and none was taken for another.
    const volts = played.messages.flatMap(({ message, kind, fields }) =>
      message === 'voltage' && kind === 'reply' ? [Number(Object(fields).volts)] : [],
    );
    expect(volts.length).toBeGreaterThan(3);
    expect(volts).toEqual(volts.toSorted((a, b) => a - b));
    expect(played.discarded).toEqual([]);
  });

  it('is written when a person asks for it, and when the bridge stops before its time', async () => {
    const { device, yaml } = await listening();
    await using _ = device;
    {
      await using test = await startBridge(yaml, undefined, undefined, undefined, { dir });
      await expect.poll(() => statusOf(test, 'psu-1'), PATIENCE).toBe('online');
      expect(await readdir(join(dir, '..'))).toEqual([]);
      const socket = new WebSocket(`${test.url.replace('http', 'ws')}/ws`);
      await new Promise((resolve) => socket.addEventListener('open', resolve));
      const answer = new Promise((resolve) => {
        socket.addEventListener('message', ({ data }) => {
          if (String(data).includes('"response"')) resolve(String(data));
        });
      });
      const note = { type: 'command', id: '1', device: 'psu-1', message: 'note', fields: { text: 'smoke' } };
      socket.send(JSON.stringify(note));
      expect(await answer).toContain('"incident":true');
      socket.close();
    }
    await using again = await startBridge(yaml, undefined, undefined, undefined, { dir });
    const [incident] = await incidents(again);
    expect(incident).toMatchObject({ device: 'psu-1', reason: 'note', detail: 'smoke' });
    expect(again.bridge.store.document('bridge/incidents')).toMatchObject({
      status: 'ready',
      files: 1,
      incidents: { [incident?.id ?? '']: { reason: 'note' } },
    });
  });
});
