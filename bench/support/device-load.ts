// A child process of bench/many-devices: devices that dial in, register, and send their frames at an even rate. It is
// made to cost little, so that it is not what is measured: bytes are prepared, a device writes once in a tick, whatever
// is due, and what comes back is only counted.
import { connect, type Socket } from 'node:net';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { MOST_AT_ONCE, PreparedFrames, type Speech } from './device-frames.ts';

export type LoadOrder =
  | { readonly do: 'connect'; readonly port: number; readonly devices: number; readonly speech: Speech }
  /** Frames of every device, so many a second. */
  | { readonly do: 'send'; readonly perSecond: number; readonly ms: number }
  /** What came back since the last order to send. */
  | { readonly do: 'count' };

export interface LoadReport {
  readonly sent: number;
  /** Fewer than the frames where a device had to catch up. */
  readonly writes: number;
  readonly answeredBytes: number;
  readonly tookMs: number;
}

/** Devices that send in the same ms are one share of all. */
const SHARES = 10;
/** The same memory for what comes back on any link: nobody looks at it. */
const heap = Buffer.alloc(64 * 1024);
let sockets: Socket[] = [];
let frames = new PreparedFrames('heartbeat');
let answeredBytes = 0;
/** The frames that each device has sent. */
let reached = 0;

async function connectAll(port: number, devices: number): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  for (let index = 0; index < devices; index++) {
    const onread = {
      buffer: heap,
      callback: (bytes: number): boolean => {
        answeredBytes += bytes;
        return true;
      },
    };
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    sockets.push(socket);
    socket.on('error', () => socket.destroy());
    await new Promise((done) => socket.once('connect', done));
    const imei = String(100_000_000_000_000 + index);
    const fields = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei };
    socket.write(encodeFrame({ name: 'register', kind: 'request', fields }));
  }
  await new Promise((done) => setTimeout(done, 500));
}

/** Catches up at every tick; a source that cannot keep up says so by the time that it took. */
async function send(perSecond: number, ms: number): Promise<LoadReport> {
  answeredBytes = 0;
  let sent = 0;
  let writes = 0;
  const each = Math.ceil(sockets.length / SHARES);
  const total = (perSecond * ms) / 1_000;
  const done = new Array<number>(SHARES).fill(0);
  const beganAt = performance.now();
  while (sent < total * sockets.length) {
    const elapsed = ((performance.now() - beganAt) * perSecond) / 1_000;
    for (let share = 0; share < SHARES; share++) {
      const before = done[share] ?? 0;
      const due = Math.min(Math.floor(elapsed - share / SHARES) + 1, total, before + MOST_AT_ONCE);
      if (due <= before) continue;
      done[share] = due;
      const bytes = frames.slice(reached + before, due - before);
      const end = Math.min((share + 1) * each, sockets.length);
      for (let index = share * each; index < end; index++) sockets[index]?.write(bytes);
      writes += end - share * each;
      sent += (due - before) * (end - share * each);
    }
    await new Promise((next) => setTimeout(next, 1));
  }
  const tookMs = performance.now() - beganAt;
  reached += total;
  return { sent, writes, answeredBytes, tookMs };
}

const reply = (report: LoadReport | 'done'): void => void process.send?.(report);

process.on('message', (order: LoadOrder) => {
  switch (order.do) {
    case 'connect':
      frames = new PreparedFrames(order.speech);
      void connectAll(order.port, order.devices).then(() => reply('done'));
      return;
    case 'send':
      void send(order.perSecond, order.ms).then(reply);
      return;
    case 'count':
      reply({ sent: 0, writes: 0, answeredBytes, tookMs: 0 });
      return;
  }
});
process.on('disconnect', () => process.exit());
