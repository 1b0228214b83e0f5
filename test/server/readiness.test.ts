import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { loadConfig } from '../../src/config/load.ts';
import type { DeviceListenerStatus } from '../../src/devices/device-listener-status.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { readyAnswer } from '../../src/server/http/routes.ts';
import { Readiness } from '../../src/server/readiness.ts';
import { startBridge } from '../support/test-bridge.ts';

const APPID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const register = (imei: string) =>
  encodeFrame({ name: 'register', kind: 'request', fields: { appid: APPID, imei } });

const listener = (status: DeviceListenerStatus['status']): DeviceListenerStatus => ({
  address: '127.0.0.1:9089',
  status,
  connections: 0,
  refused_connections: 0,
});

describe('readiness', () => {
  const made = (listeners: readonly DeviceListenerStatus[]) =>
    new Readiness({ required: () => [], reading: () => undefined, listeners: () => listeners });

  it('is no until all is bound, and no again as soon as it stops', () => {
    const readiness = made([listener('listening')]);
    expect(readiness.reasons().map(({ kind }) => kind)).toEqual(['starting']);
    readiness.started();
    expect(readiness.reasons()).toEqual([]);
    readiness.draining();
    readiness.started();
    expect(readiness.reasons().map(({ kind }) => kind)).toEqual(['draining']);
  });

  it.each(['opening', 'backoff', 'closed'] as const)('is no while a listener is %s', (status) => {
    const readiness = made([listener('listening'), listener(status)]);
    readiness.started();
    expect(readiness.reasons()).toEqual([
      {
        kind: 'listener_down',
        message: 'Devices cannot dial in at 1 address.',
        listeners: ['127.0.0.1:9089'],
      },
    ]);
  });
});

describe('the answer', () => {
  it('names nothing where others than those with a token may ask', () => {
    const kind = 'device_awaited';
    const reasons = () => [
      { kind, message: '1 required device never came up.', devices: [{ device: 'a' }] } as const,
    ];
    expect(readyAnswer({ reasons }, true).body).not.toContain('"a"');
    expect(readyAnswer({ reasons }, false).body).toContain('"a"');
  });
});

describe('/readyz', () => {
  const ask = async (url: string) => {
    const answer = await fetch(`${url}/readyz`);
    return { status: answer.status, body: await answer.json() };
  };

  it('names the required devices that never came up, and is content with those that did once', async () => {
    await using bridge = await startBridge(`
devices:
  - { id: psu-1, required: true, match: { imei: "490154203237518" } }
  - { id: psu-2, match: { imei: "869858030720701" } }
listeners:
  - { link: "tcp-listen:127.0.0.1:0" }
`);
    expect(await ask(bridge.url)).toEqual({
      status: 503,
      body: {
        status: 'not_ready',
        reasons: [
          {
            kind: 'device_awaited',
            message: '1 required device never came up.',
            devices: [{ device: 'psu-1', status: 'unknown', link: 'listening' }],
          },
        ],
      },
    });
    expect((await fetch(`${bridge.url}/healthz`)).status).toBe(200);
    const socket = connect(bridge.devicePort, '127.0.0.1', () => socket.write(register('490154203237518')));
    await expect.poll(() => ask(bridge.url)).toEqual({ status: 200, body: { status: 'ready' } });
    socket.destroy();
    await expect.poll(() => bridge.bridge.directory.get('psu-1')?.status).toBe('offline');
    expect((await ask(bridge.url)).status).toBe(200);
    // Run anew, as after a change of its configuration: that it came up is not forgotten.
    bridge.bridge.directory.get('psu-1')?.stop();
    expect((await ask(bridge.url)).status).toBe(200);
  });

  it('says why a device that we dial did not come up', async () => {
    await using bridge = await startBridge(`
devices:
  - id: rack-7
    required: true
    link: tcp:127.0.0.1:1
    register: { appid: ${APPID}, imei: "490154203237518" }
`);
    await expect
      .poll(async () => (await ask(bridge.url)).body)
      .toMatchObject({ reasons: [{ devices: [{ device: 'rack-7', reason: 'connect_refused' }] }] });
  });

  it('follows the configuration while the bridge runs', async () => {
    const text = (required: string) =>
      `server: { port: 0 }\ndevices:\n  - { id: a, ${required}match: { imei: "490154203237518" } }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n`;
    await using bridge = await startBridge(text('').replace('server: { port: 0 }\n', ''));
    expect((await ask(bridge.url)).status).toBe(200);
    await bridge.bridge.apply(loadConfig(text('required: true, '), 'test.yaml'));
    expect((await ask(bridge.url)).status).toBe(503);
    await bridge.bridge.apply(loadConfig(text('required: false, '), 'test.yaml'));
    expect((await ask(bridge.url)).status).toBe(200);
  });

  it('counts a required device whose configuration is wrong', () => {
    const { config } = loadConfig(
      'devices:\n  - { id: a, required: true, link: "tcp:nowhere" }\n  - { id: b, link: /dev/ttyUSB0, session: none }\n',
      'devices.yaml',
    );
    expect(config?.requiredDevices).toEqual(['a']);
    expect(config?.devices.map(({ id }) => id)).not.toContain('a');
  });

  it('says no while subscribers are sent away, and healthz goes on', async () => {
    await using bridge = await startBridge('devices: []\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n');
    expect((await ask(bridge.url)).status).toBe(200);
    // It does not close its side, so that draining takes its time.
    const socket = new WebSocket(`${bridge.url.replace('http', 'ws')}/ws`);
    await new Promise((resolve) => socket.once('message', resolve));
    socket.pause();
    const closing = bridge[Symbol.asyncDispose]();
    expect(await ask(bridge.url)).toMatchObject({ status: 503, body: { reasons: [{ kind: 'draining' }] } });
    expect((await fetch(`${bridge.url}/healthz`)).status).toBe(200);
    socket.terminate();
    await closing;
  });
});
