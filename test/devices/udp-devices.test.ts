import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { StateDocument } from '../../src/contract/feed/topic-documents.ts';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const IMEI = '490154203237518';
const REGISTER = encodeFrame({
  name: 'register',
  kind: 'request',
  fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: IMEI },
});
const BEAT = encodeFrame({ name: 'heartbeat', kind: 'request' });
const sockets: Socket[] = [];

afterEach(() => {
  for (const each of sockets.splice(0)) each.close();
});

/** A device at a port of its own; what it was answered. */
async function device(bridge: TestBridge, host = '127.0.0.1') {
  const socket = createSocket('udp4');
  sockets.push(socket);
  socket.bind(0, host);
  await once(socket, 'listening');
  const heard: string[] = [];
  socket.on('message', (datagram) => void heard.push(datagram.toString('hex')));
  const say = (...frames: readonly Uint8Array[]): void => {
    for (const each of frames) socket.send(each, bridge.devicePort, '127.0.0.1');
  };
  return { say, heard, address: `${host}:${socket.address().port}` };
}

const state = ({ bridge }: TestBridge, id: string): StateDocument | undefined =>
  // The topic carries documents of this kind.
  bridge.store.document(`devices/${id}/state`) as StateDocument | undefined;
const stats = ({ bridge }: TestBridge, id: string) => bridge.store.document(`devices/${id}/stats`);

describe('devices that send datagrams to a listener', () => {
  const LISTENER = 'listeners:\n  - { link: "udp-listen:127.0.0.1:0", max_nameless: 8 }\n';

  it('register, beat, and are answered datagram by datagram', async () => {
    await using bridge = await startBridge(
      `devices:\n  - { id: psu-1, match: { imei: "${IMEI}" } }\n${LISTENER}`,
    );
    const one = await device(bridge);
    one.say(REGISTER);
    await expect.poll(() => state(bridge, 'psu-1')?.status).toBe('online');
    expect(state(bridge, 'psu-1')?.link).toMatchObject({ transport: 'udp', address: one.address });
    one.say(BEAT);
    await expect.poll(() => one.heard.length).toBe(2);
  });

  it('one that is damaged ends nothing, and the next one counts', async () => {
    await using bridge = await startBridge(LISTENER);
    const one = await device(bridge);
    one.say(REGISTER);
    await expect.poll(() => state(bridge, IMEI)?.status).toBe('online');
    const half = BEAT.subarray(0, 3);
    one.say(Buffer.alloc(500, 0xff), half, BEAT, half, BEAT);
    await expect.poll(() => one.heard.length).toBe(3);
    expect(state(bridge, IMEI)).toMatchObject({ status: 'online', link: { transport: 'udp' } });
    await expect.poll(() => stats(bridge, IMEI)).toMatchObject({ connects: 1 });
  });

  it('a device that registers from another port is the same device', async () => {
    await using bridge = await startBridge(LISTENER);
    const [before, after] = [await device(bridge), await device(bridge)];
    before.say(REGISTER);
    await expect.poll(() => state(bridge, IMEI)?.link.address).toBe(before.address);
    after.say(REGISTER);
    await expect.poll(() => state(bridge, IMEI)?.link.address).toBe(after.address);
    after.say(BEAT);
    await expect.poll(() => after.heard.length).toBe(2);
    expect(state(bridge, IMEI)?.status).toBe('online');
  });

  it('senders without a name push each other out, and no device', async () => {
    await using bridge = await startBridge(LISTENER);
    const one = await device(bridge);
    one.say(REGISTER);
    await expect.poll(() => state(bridge, IMEI)?.status).toBe('online');
    for (let at = 0; at < 40; at += 1) (await device(bridge)).say(Buffer.from('GET / HTTP/1.1\r\n'), BEAT);
    await expect.poll(() => bridge.log.some(({ text }) => text.includes('have no name'))).toBe(true);
    one.say(BEAT);
    await expect.poll(() => one.heard.length).toBe(2);
    expect(state(bridge, IMEI)?.status).toBe('online');
  });

  it('by address, a device keeps its name and its link whatever its port', async () => {
    await using bridge = await startBridge(
      'listeners:\n  - { link: "udp-listen:127.0.0.1:0", session: none, anonymous: by-address }\n',
    );
    const [before, after] = [await device(bridge), await device(bridge)];
    before.say(BEAT);
    await expect.poll(() => state(bridge, 'addr-127.0.0.1')?.status).toBe('online');
    after.say(BEAT);
    before.say(BEAT);
    (await device(bridge, '127.0.0.2')).say(BEAT);
    await expect.poll(() => state(bridge, 'addr-127.0.0.2')?.status).toBe('online');
    expect(state(bridge, 'addr-127.0.0.1')).toMatchObject({ status: 'online', link: { transport: 'udp' } });
    await expect.poll(() => stats(bridge, 'addr-127.0.0.1')).toMatchObject({ connects: 1, takeovers: 0 });
  });
});

describe('a device that is spoken to in datagrams', () => {
  it('comes up by what it says, though its link is open at once', async () => {
    const socket = createSocket('udp4');
    sockets.push(socket);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const heard: string[] = [];
    socket.on('message', (datagram, { port }) => {
      heard.push(datagram.toString('hex'));
      // Silent at first; then register and heartbeat are answered.
      if (heard.length < 2) return;
      const reply = encodeFrame({
        name: datagram[4] === REGISTER[4] ? 'register' : 'heartbeat',
        kind: 'reply',
        error: 0,
      });
      socket.send(reply, port, '127.0.0.1');
    });
    const { port } = socket.address();
    await using bridge = await startBridge(
      `devices:\n  - { id: probe, link: "udp:127.0.0.1:${port}", request_timeout: 200ms, reconnect: { initial: 100ms, max: 100ms }, register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "${IMEI}" } }\n`,
    );
    await expect.poll(() => state(bridge, 'probe')?.link.status).toBe('connected');
    expect(state(bridge, 'probe')?.status).toBe('registering');
    await expect.poll(() => state(bridge, 'probe')?.status, { timeout: 5_000 }).toBe('online');
    expect(heard[0]).toBe(Buffer.from(REGISTER).toString('hex'));
  });
});
