// A child process of bench/many-devices: devices that dial in and send one frame after the other, each at an even rate,
// and count what comes back.
import { connect, type Socket } from 'node:net';
import { encodeFrame } from '../../src/protocol/codec.ts';

export type LoadOrder =
  | { readonly do: 'connect'; readonly port: number; readonly devices: number }
  /** One frame of every device, so many times a second. */
  | { readonly do: 'send'; readonly perSecond: number; readonly ms: number };

export interface LoadReport {
  readonly sent: number;
  /** Bytes that came back meanwhile, and in the second after. */
  readonly answeredBytes: number;
  readonly tookMs: number;
}

const HEARTBEAT = encodeFrame({ name: 'heartbeat', kind: 'request' });
/** Devices that send in the same tick are one share of all. */
const SHARES = 10;
let sockets: Socket[] = [];
let answeredBytes = 0;

async function connectAll(port: number, devices: number): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  for (let index = 0; index < devices; index++) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      answeredBytes += chunk.length;
    });
    await new Promise((done) => socket.once('connect', done));
    const imei = String(100_000_000_000_000 + index);
    const fields = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei };
    socket.write(encodeFrame({ name: 'register', kind: 'request', fields }));
  }
  await new Promise((done) => setTimeout(done, 500));
}

/** Catches up at every tick; a source that cannot keep up says so by what it sent. */
async function send(perSecond: number, ms: number): Promise<LoadReport> {
  answeredBytes = 0;
  let sent = 0;
  const beganAt = performance.now();
  const each = Math.ceil(sockets.length / SHARES);
  const total = (perSecond * SHARES * ms) / 1_000;
  for (let share = 0; share < total; ) {
    const due = ((performance.now() - beganAt) * perSecond * SHARES) / 1_000;
    for (; share < Math.min(due, total); share++) {
      const from = (share % SHARES) * each;
      for (const socket of sockets.slice(from, from + each)) {
        socket.write(HEARTBEAT);
        sent++;
      }
      // What comes back is read in between.
      if (share % SHARES === 0) await new Promise(setImmediate);
    }
    await new Promise((done) => setTimeout(done, 1));
  }
  const tookMs = performance.now() - beganAt;
  await new Promise((done) => setTimeout(done, 1_000));
  return { sent, answeredBytes, tookMs };
}

process.on('message', (order: LoadOrder) => {
  if (order.do === 'connect') void connectAll(order.port, order.devices).then(() => process.send?.('done'));
  else void send(order.perSecond, order.ms).then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit());
