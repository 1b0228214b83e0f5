import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { DeviceWatcher } from '../support/device-watcher.ts';
import { startBridge } from '../support/test-bridge.ts';

/** A TCP serial server: `connected` plays the line behind it. */
async function serialServer(connected: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    connected(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const config = (server: Server) => `
defaults: { heartbeat: { interval: 500ms, missed: 3 }, reconnect: { initial: 200ms, max: 500ms }, request_timeout: 1s }
devices:
  - id: moxa-1
    link: "tcp:127.0.0.1:${(server.address() as AddressInfo).port}"
    line: serial
    register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }
`;
const REGISTER_BYTES = 56;

it('finds frames again in a stream of a serial server, where a TCP peer would be closed', async () => {
  const server = await serialServer((socket) => {
    let received = 0;
    socket.on('data', (chunk) => {
      if (received < REGISTER_BYTES && received + chunk.length >= REGISTER_BYTES) {
        // Noise, a reply, and half a frame that only silence ends: the gap makes room for the next reply.
        socket.write(Buffer.from('fe7f00000002000000000034', 'hex'));
      } else {
        socket.write(Buffer.from('000000020100', 'hex'));
      }
      received += chunk.length;
    });
  });
  try {
    await using bridge = await startBridge(config(server));
    await using watcher = await DeviceWatcher.connect(bridge.url, ['devices/+/state', 'devices/+/stats']);
    await watcher.sees('moxa-1', 'online, link connected');
    await expect
      .poll(() => watcher.document('devices/moxa-1/stats')?.discarded_bytes, { timeout: 30_000 })
      .toBeGreaterThanOrEqual(6);
    expect(watcher.steps('moxa-1').at(-1)).toBe('online, link connected');
  } finally {
    server.close();
  }
});

it('names a telnet serial server by its negotiation', async () => {
  const server = await serialServer((socket) => socket.write(Buffer.from('fffb2cfffd2c', 'hex')));
  try {
    await using bridge = await startBridge(config(server));
    await using watcher = await DeviceWatcher.connect(bridge.url);
    await watcher.sees('moxa-1', 'unknown (register_timeout), link backoff (register_timeout)');
    await expect
      .poll(() => watcher.document('devices/moxa-1/state')?.detail)
      .toContain('telnet negotiation: IAC WILL 44 (RFC 2217 serial port control)');
  } finally {
    server.close();
  }
});
