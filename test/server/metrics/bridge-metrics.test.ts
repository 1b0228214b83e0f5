import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { loadConfig } from '../../../src/config/load.ts';
import { encodeFrame } from '../../../src/protocol/codec.ts';
import { parseExposition, type Scrape } from '../../support/exposition.ts';
import { startBridge } from '../../support/test-bridge.ts';

const APPID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const register = (imei: string) =>
  encodeFrame({ name: 'register', kind: 'request', fields: { appid: APPID, imei } });
const BEAT = encodeFrame({ name: 'heartbeat', kind: 'request' });
const REPLY_BYTES = 6;

async function scrape(url: string): Promise<Scrape> {
  const answer = await fetch(`${url}/metrics`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  return parseExposition(await answer.text());
}

/** A device that dials in and says these bytes; resolves when it has been answered so many bytes. */
async function dialIn(port: number, bytes: readonly Uint8Array[], answered: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.resume();
  await once(socket, 'connect');
  for (const each of bytes) socket.write(each);
  await expect.poll(() => socket.bytesRead).toBe(answered);
  return socket;
}

const LISTENING = `
devices:
  - { id: psu-1, match: { imei: "490154203237518" } }
  - { id: psu-2, match: { imei: "869858030720701" } }
listeners:
  - { link: "tcp-listen:127.0.0.1:0" }
`;

describe('/metrics', () => {
  it('tells what happened, device by device where that is wanted', async () => {
    await using bridge = await startBridge(`metrics: { per_device: true }\n${LISTENING}`);
    const sent = [register('490154203237518'), BEAT, BEAT];
    const socket = await dialIn(bridge.devicePort, sent, 3 * REPLY_BYTES);
    const other = await dialIn(bridge.devicePort, [register('490154203237526'), BEAT], 2 * REPLY_BYTES);
    const bytes = sent.reduce((sum, { length }) => sum + length, 0);
    const told = await scrape(bridge.url);
    expect(told.by('heartwire_devices', 'status')).toEqual({
      unknown: 1,
      registering: 0,
      online: 2,
      stale: 0,
      offline: 0,
      away: 0,
    });
    expect(told.by('heartwire_links', 'status')).toMatchObject({ connected: 2, listening: 1 });
    // The register came before the link had a name.
    expect(told.by('heartwire_received_frames_total', 'device')).toEqual({ '': 1, 'psu-1': 2, 'psu-2': 0 });
    expect(told.value('heartwire_received_bytes_total', { device: 'psu-1' })).toBe(bytes);
    expect(told.value('heartwire_sent_bytes_total', { device: 'psu-1' })).toBe(3 * REPLY_BYTES);
    expect(told.value('heartwire_sent_frames_total', { device: 'psu-1' })).toBe(3);
    expect(told.by('heartwire_device_online', 'device')).toEqual({ 'psu-1': 1, 'psu-2': 0 });
    expect(told.by('heartwire_listener_connections', 'listener')).toEqual({
      [`127.0.0.1:${bridge.devicePort}`]: 2,
    });
    socket.destroy();
    other.write(Uint8Array.of(0x47, 0x45, 0x54, 0x20));
    await expect
      .poll(async () => (await scrape(bridge.url)).series)
      .toEqual(
        expect.arrayContaining([
          {
            name: 'heartwire_link_losses_total',
            labels: { device: 'psu-1', reason: expect.stringMatching(/^link_(closed|reset)$/) },
            value: 1,
          },
          { name: 'heartwire_link_losses_total', labels: { reason: 'bad_frame' }, value: 1 },
          { name: 'heartwire_log_lines_total', labels: { level: 'warn', code: 'bad_frame' }, value: 1 },
        ]),
      );
  });

  it('counts all devices together by itself, and loses nothing when one is stopped', async () => {
    await using bridge = await startBridge(LISTENING);
    const socket = await dialIn(bridge.devicePort, [register('490154203237518'), BEAT], 2 * REPLY_BYTES);
    expect((await scrape(bridge.url)).by('heartwire_received_frames_total', 'device')).toEqual({ '': 1 });
    bridge.bridge.directory.get('psu-1')?.stop();
    await once(socket, 'close');
    const after = await scrape(bridge.url);
    expect(after.by('heartwire_received_frames_total', 'device')).toEqual({ '': 1 });
    expect(after.by('heartwire_connects_total', 'device')).toEqual({ '': 1 });
    expect(after.by('heartwire_device_online', 'device')).toEqual({});
  });

  it('tells the bytes that a noisy line lost, by reason, and round trips', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('data', (data) => {
        const said = data.includes(Buffer.from(BEAT))
          ? [encodeFrame({ name: 'heartbeat', kind: 'reply', error: 0 })]
          : [];
        if (data.length > 50) said.push(encodeFrame({ name: 'register', kind: 'reply', error: 0 }));
        for (const each of said) socket.write(each);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await using bridge = await startBridge(`
devices:
  - id: rack-7
    link: tcp:127.0.0.1:${port}
    line: serial
    register: { appid: ${APPID}, imei: "490154203237518" }
    heartbeat: { interval: 100ms }
    clock: false
`);
    await expect
      .poll(async () => (await scrape(bridge.url)).value('heartwire_round_trip_seconds_count'))
      .toBeGreaterThan(1);
    sockets[0]?.write(Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 0x99));
    await expect
      .poll(async () => (await scrape(bridge.url)).by('heartwire_discarded_bytes_total', 'reason'))
      .toEqual({ no_header: 5 });
    const told = await scrape(bridge.url);
    expect(told.value('heartwire_round_trip_seconds_sum')).toBeGreaterThan(0);
    expect(told.types.get('heartwire_round_trip_seconds')).toBe('histogram');
    await bridge[Symbol.asyncDispose]();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('tells who follows the feed, and how they went', async () => {
    await using bridge = await startBridge(`devices: []\n${LISTENING.slice(LISTENING.indexOf('listeners'))}`);
    const socket = new WebSocket(`${bridge.url.replace('http', 'ws')}/ws`);
    let messages = 0;
    socket.on('message', () => void messages++);
    await once(socket, 'message');
    const inside = await scrape(bridge.url);
    expect(inside.by('heartwire_subscribers', 'transport')).toMatchObject({ websocket: 1, sse: 0 });
    expect(inside.value('heartwire_feed_deliveries_total', { transport: 'websocket' })).toBe(messages);
    expect(inside.value('heartwire_feed_sent_bytes_total', { transport: 'websocket' })).toBeGreaterThan(100);
    socket.close();
    await once(socket, 'close');
    const odd = new WebSocket(`${bridge.url.replace('http', 'ws')}/ws`);
    await once(odd, 'message');
    odd.close(4_321);
    await once(odd, 'close');
    const binary = new WebSocket(`${bridge.url.replace('http', 'ws')}/ws`);
    await once(binary, 'message');
    binary.send(Uint8Array.of(1));
    await once(binary, 'close');
    await expect
      .poll(async () => {
        const { series } = await scrape(bridge.url);
        return series.filter(({ name }) => name === 'heartwire_subscriber_closes_total');
      })
      .toEqual(
        [{ reason: 'closed' }, { reason: 'other' }, { reason: 'unsupported_data', code: '1003' }].map(
          (labels) => ({
            name: 'heartwire_subscriber_closes_total',
            labels: { transport: 'websocket', ...labels },
            value: 1,
          }),
        ),
      );
    const after = await scrape(bridge.url);
    expect(after.value('heartwire_subscriber_connects_total', { transport: 'websocket' })).toBe(3);
    expect(after.value('heartwire_feed_sent_bytes_total', { transport: 'websocket' })).toBeGreaterThan(300);
  });

  it('goes on counting a device that a reload runs anew, and one that it takes out', async () => {
    const text = `metrics: { per_device: true }\n${LISTENING}`;
    await using bridge = await startBridge(text);
    const frames = async () =>
      (await scrape(bridge.url)).by('heartwire_received_frames_total', 'device')['psu-1'];
    await dialIn(bridge.devicePort, [register('490154203237518'), BEAT, BEAT], 3 * REPLY_BYTES);
    expect(await frames()).toBe(2);
    const reload = async (to: string) => {
      await bridge.bridge.apply(loadConfig(`server: { port: 0 }\n${to}`, 'test.yaml'));
    };
    const other = text.replace(
      'imei: "490154203237518" }',
      'imei: "490154203237518" }, required: true, clock: false',
    );
    await reload(other.replace('clock: false', 'request_timeout: 7s'));
    expect(await frames()).toBe(2);
    await dialIn(bridge.devicePort, [register('490154203237518'), BEAT], 2 * REPLY_BYTES);
    expect(await frames()).toBe(3);
    expect((await fetch(`${bridge.url}/readyz`)).status).toBe(200);
    await reload(text.replace(/.*psu-1.*\n/, ''));
    expect(await frames()).toBe(3);
    expect((await scrape(bridge.url)).value('heartwire_config_versions_total')).toBe(3);
  });

  it('is that of one bridge, though a process may hold several', async () => {
    await using one = await startBridge(LISTENING);
    await using other = await startBridge(LISTENING);
    await dialIn(one.devicePort, [register('490154203237518')], REPLY_BYTES);
    expect((await scrape(one.url)).value('heartwire_connects_total')).toBe(1);
    expect((await scrape(other.url)).value('heartwire_connects_total')).toBe(0);
  });
});

describe('metrics in devices.yaml', () => {
  it('count all devices together unless it says otherwise', () => {
    const of = (text: string) => loadConfig(text, 'devices.yaml').config?.metrics;
    expect(of(LISTENING)).toEqual({ perDevice: false, values: [] });
    expect(of(`metrics: { per_device: true }\n${LISTENING}`)).toEqual({ perDevice: true, values: [] });
    expect(loadConfig(`metrics: { per_devices: true }\n${LISTENING}`, 'x').problems).toHaveLength(1);
  });
});
