// A child process of bench/recording: devices that dial in, register, and beat at an even rate, one frame a write.
import { connect, type Socket } from 'node:net';
import { encodeFrame } from '../../src/protocol/codec.ts';

/** What the bench asks: so many devices at a port, or so many beats a second at it for a while. */
export type DevicesOrder =
  | { readonly do: 'connect'; readonly port: number; readonly devices: number }
  | { readonly do: 'beat'; readonly port: number; readonly perSecond: number; readonly ms: number };

/** What it answers; `frames` were sent. */
export interface DevicesReport {
  readonly frames: number;
}

const HEARTBEAT = encodeFrame({ name: 'heartbeat', kind: 'request' });
const TICK_MS = 5;
const sockets = new Map<number, Socket[]>();

async function connectAll(port: number, devices: number): Promise<void> {
  const made = Array.from({ length: devices }, (_, index) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    const imei = String(100_000_000_000_000 + index);
    socket.write(
      encodeFrame({
        name: 'register',
        kind: 'request',
        fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei },
      }),
    );
    socket.on('data', () => undefined);
    return socket;
  });
  sockets.set(port, made);
  await Promise.all(made.map((socket) => new Promise((done) => socket.once('data', done))));
}

/** Catches up with the rate at every tick, each device in its turn. */
function beat(port: number, perSecond: number, ms: number): Promise<number> {
  const devices = sockets.get(port) ?? [];
  const began = performance.now();
  let frames = 0;
  return new Promise((done) => {
    const timer = setInterval(() => {
      const passed = Math.min(performance.now() - began, ms);
      for (const due = Math.floor((passed * perSecond) / 1_000); frames < due; frames++) {
        devices[frames % devices.length]?.write(HEARTBEAT);
      }
      if (passed < ms) return;
      clearInterval(timer);
      done(frames);
    }, TICK_MS);
  });
}

process.on('message', async (order: DevicesOrder) => {
  let frames = 0;
  if (order.do === 'connect') await connectAll(order.port, order.devices);
  else frames = await beat(order.port, order.perSecond, order.ms);
  process.send?.({ frames } satisfies DevicesReport);
});

// Whoever asked is gone.
process.on('disconnect', () => process.exit());
