// A child process of bench/relay: a bridge, and the least that a relay in Node can be. Both are told bytes on one port and
// tell everybody on another.
import { createServer, type Socket } from 'node:net';
import { Bridge } from '../../src/app/bridge.ts';
import { loadConfig } from '../../src/config/load.ts';
import { systemClock } from '../../src/system/clock.ts';
import { listen } from './fan-out-way.ts';

/** Where devices send to, and where subscribers listen. */
export interface RelayPorts {
  readonly bridge: { readonly devices: number; readonly subscribers: number };
  readonly raw: { readonly devices: number; readonly subscribers: number };
  /** Passes on as many bytes as the bridge tells of a frame. */
  readonly padded: { readonly devices: number; readonly subscribers: number };
}

async function startBridge(): Promise<RelayPorts['bridge']> {
  const { config, problems } = loadConfig(
    'server: { port: 0 }\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]',
    'bench.yaml',
  );
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const bridge = new Bridge({ config, clock: systemClock, log, version: '0.0.0' });
  const { url, listeners } = await bridge.start();
  return { devices: Number(listeners[0]?.split(':').at(-1)), subscribers: Number(new URL(url).port) };
}

/** An event of the frame as it goes over a WebSocket, in bytes. */
const EVENT_BYTES = 230;

async function startRaw(passOn: (chunk: Buffer) => Buffer): Promise<RelayPorts['raw']> {
  const subscribers = new Set<Socket>();
  const outside = createServer({ noDelay: true }, (socket) => {
    subscribers.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => subscribers.delete(socket));
  });
  const inside = createServer({ noDelay: true }, (device) => {
    device.on('error', () => device.destroy());
    device.on('data', (chunk: Buffer) => {
      const bytes = passOn(chunk);
      for (const each of subscribers) each.write(bytes);
    });
  });
  return { devices: await listen(inside), subscribers: await listen(outside) };
}

const ports: RelayPorts = {
  bridge: await startBridge(),
  raw: await startRaw((chunk) => chunk),
  padded: await startRaw((chunk) => Buffer.concat([chunk], EVENT_BYTES)),
};
process.send?.(ports);
process.on('disconnect', () => process.exit());
