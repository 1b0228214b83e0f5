import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Client, type ClientStatus, connect, type SocketConstructor } from '../../src/client/index.ts';
import { SimulatedFleet } from '../../src/simulator/simulated-fleet.ts';
import { systemClock } from '../../src/system/clock.ts';
import { freePort } from '../support/free-port.ts';
import { hasNginx, Nginx } from '../support/nginx.ts';
import { RunningProgram } from '../support/running-program.ts';
import { startBridge } from '../support/test-bridge.ts';

const QUICK = { firstMs: 50, mostMs: 200 };

describe('a client of a bridge in a process of its own', () => {
  let folder: string;
  let url: string;
  let fleet: SimulatedFleet;
  let bridge: RunningProgram;
  let client: Client;
  const told: ClientStatus[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-client-'));
    const [port, devicePort] = [await freePort(), await freePort()];
    url = `http://127.0.0.1:${port}`;
    await writeFile(
      join(folder, 'devices.yaml'),
      `server: { port: ${port} }
defaults: { heartbeat: { interval: 1s, missed: 3 } }
listeners: [{ link: "tcp-listen:127.0.0.1:${devicePort}", unknown: accept }]
`,
    );
    fleet = new SimulatedFleet(
      {
        address: { scheme: 'tcp', host: '127.0.0.1', port: devicePort },
        count: 5,
        seed: 1,
        heartbeatEveryMs: 1_000,
        reconnect: { initialMs: 50, maxMs: 200 },
      },
      { clock: systemClock },
    );
    await fleet.start();
  });
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  afterEach(() => {
    client.close();
    bridge[Symbol.dispose]();
    told.length = 0;
  });

  const begin = async (): Promise<void> => {
    bridge = new RunningProgram(['run', 'devices.yaml'], folder);
    await bridge.said(/(Heartwire is at)/);
  };
  const open = async (): Promise<void> => {
    await begin();
    client = connect(url, { WebSocket, backOff: QUICK, topics: ['devices/+/state'] });
    client.on('status', (status) => told.push(status));
    await convergence();
  };
  /** The view is what the bridge says over HTTP, and says so. */
  const convergence = async (): Promise<void> => {
    await expect
      .poll(async () => {
        const { devices } = (await (await fetch(`${url}/api/devices`)).json()) as {
          devices: ReadonlyArray<{ device: string; status: string }>;
        };
        const own = [...client.view.devices()].sort().map((id) => client.view.get(id));
        const online = devices.filter(({ status }) => status === 'online').length;
        return client.status.state === 'connected' && online === 5 && isDeepStrictEqual(own, devices);
      })
      .toBe(true);
  };
  const state = (): string => client.status.state;
  const states = (): string[] =>
    told.map((each) => each.state).filter((each, at, all) => each !== all[at - 1]);

  it('survives its being killed, and its return in another life', async () => {
    await open();
    const [device = ''] = client.view.devices();
    for (const each of fleet.devices) each.freeze();
    const command = client.command(device, 'datetime', {}, { timeoutMs: 60_000 });
    const settled = expect(command).rejects.toMatchObject({ code: 'command_outcome_unknown' });
    // It was sent before anything that is asked after it is answered.
    await client.request('echo');
    told.length = 0;
    bridge.child.kill('SIGKILL');
    await expect.poll(state).toBe('stale');
    await expect(client.command(device, 'heartbeat')).rejects.toMatchObject({ code: 'not_connected' });
    expect(client.view.get(device)?.device).toBe(device);
    for (const each of fleet.devices) each.thaw();
    await begin();
    await settled;
    await convergence();
    expect(states()).toEqual(['stale', 'recovering', 'connected']);
  });

  it('heeds how long a bridge that is drained wants it to stay away', async () => {
    await open();
    told.length = 0;
    bridge.child.kill('SIGTERM');
    await expect.poll(state).toBe('stale');
    expect(told[0]).toMatchObject({ reason: 'draining', code: 4000, retryAt: expect.any(Number) });
    await bridge.exited;
    await begin();
    await convergence();
  });

  it('does not call the view of a frozen bridge the present, and needs no new connection when it thaws', async () => {
    await open();
    told.length = 0;
    bridge.child.kill('SIGSTOP');
    await expect.poll(state, { timeout: 40_000 }).toBe('stale');
    expect(client.status.reason).toBe('silent');
    bridge.child.kill('SIGCONT');
    await convergence();
    expect(states()).toEqual(['stale', 'connected']);
  });
});

describe.runIf(hasNginx)('a client behind nginx', () => {
  it('follows the bridge, and finds it again when it was restarted', async () => {
    const yaml = 'access: { insecure: true }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]';
    const serve = (port: number) =>
      startBridge(yaml, `{ port: ${port}, hosts: [panel.example], trusted_proxies: [127.0.0.1] }`);
    const first = await serve(0);
    const port = Number(new URL(first.url).port);
    await using nginx = await Nginx.start(port);
    const host = `panel.example:${nginx.port}`;
    const ca = readFileSync(nginx.certificate.cert);
    const Proxied: SocketConstructor = class extends WebSocket {
      constructor(url: string) {
        super(url, { ca, localAddress: '127.0.0.2', headers: { Host: host, Origin: `https://${host}` } });
      }
    };
    using client = connect(`https://127.0.0.1:${nginx.port}`, {
      WebSocket: Proxied,
      backOff: QUICK,
      topics: ['devices/+/state'],
    });
    await client.connected();
    first.bridge.store.publishState('devices/a/state', { device: 'a', status: 'online' });
    await expect.poll(() => client.view.get('a')?.status).toBe('online');

    await first[Symbol.asyncDispose]();
    await expect.poll(() => client.status).toMatchObject({ state: 'stale', reason: 'draining' });
    await using second = await serve(port);
    second.bridge.store.publishState('devices/b/state', { device: 'b', status: 'away' });
    await expect.poll(() => client.status.state).toBe('connected');
    await expect.poll(() => [...client.view.devices()]).toEqual(['b']);
  });
});
