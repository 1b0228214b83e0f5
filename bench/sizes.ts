import { once } from 'node:events';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { Bench, BenchRow } from './support/bench.ts';
import { REGISTER, startProgram } from './support/rivals.ts';
import { DEVICE } from './support/telemetry-frame.ts';

const PAYLOAD_BYTES = 34;
/** Of an id without a declaration. */
const ID = 0x7f;

/** Frames that differ in their last byte. */
const frame = (last: number): Buffer =>
  Buffer.concat([
    Buffer.from([0, 0, 0, PAYLOAD_BYTES, ID]),
    Buffer.alloc(PAYLOAD_BYTES - 2, 0x5a),
    Buffer.from([last]),
  ]);
/** A declared message with as long a payload, of which every field changes. */
function readings(n: number): Buffer {
  const bytes = Buffer.concat([Buffer.from([0, 0, 0, PAYLOAD_BYTES, 0x11]), Buffer.alloc(PAYLOAD_BYTES - 1)]);
  bytes.writeUInt32BE(1_000_000 + n, 5);
  for (let at = 9; at < 33; at += 4) bytes.writeFloatBE(230.5 + n / 4 + at, at);
  bytes.writeUInt32BE(1_200 + n, 33);
  bytes[37] = n;
  return bytes;
}

/** What a subscriber of one device gets for the second of two frames, by the kind of message. */
async function sizes(
  port: number,
  devicePort: number,
  frames: readonly Buffer[],
  raw: boolean,
): Promise<Map<string, number>> {
  const device = connect(devicePort, '127.0.0.1');
  device.write(Buffer.from(REGISTER, 'hex'));
  await once(device, 'data');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
  await once(socket, 'open');
  const found = new Map<string, number>();
  let seen = 0;
  const done = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const text = String(data);
      const { type, payload } = Object(JSON.parse(text));
      if (type === 'synced') device.write(frames[0] ?? Buffer.alloc(0));
      if (type !== 'event' && payload?.patch?.values === undefined) return;
      if (type === 'event' && ++seen === 1) setTimeout(() => device.write(frames[1] ?? Buffer.alloc(0)), 50);
      if (seen === 2) found.set(type === 'event' ? 'event' : 'patch', Buffer.byteLength(text));
      if (seen === 2 && type === 'event') setTimeout(resolve, 200);
    });
  });
  const topics = [`devices/${DEVICE}/messages`, `devices/${DEVICE}/state`];
  socket.send(JSON.stringify({ type: 'subscribe', topics, ...(raw && { raw: true }) }));
  await done;
  socket.terminate();
  device.destroy();
  return found;
}

async function* run(): AsyncGenerator<BenchRow> {
  const { port, devicePort, close } = await startProgram();
  try {
    for (const [name, frames] of [
      [`undeclared payload of ${PAYLOAD_BYTES} bytes`, [frame(1), frame(2)]],
      [`declared payload of ${PAYLOAD_BYTES} bytes, all 9 fields changed`, [readings(1), readings(2)]],
    ] as const) {
      const plain = await sizes(port, devicePort, frames, false);
      const raw = await sizes(port, devicePort, frames, true);
      for (const [kind, bytes] of plain)
        yield {
          name: `${name}: ${kind}`,
          figure: `${bytes} bytes`,
          peer: `with raw values: ${raw.get(kind) ?? '-'} bytes`,
          ratio: (bytes / (raw.get(kind) ?? Number.NaN)).toFixed(2),
        };
    }
  } finally {
    await close();
  }
}

/** How many bytes a subscriber gets for a frame. */
export const bench: Bench = {
  about:
    'bytes of the messages for one frame of a device, without the head of the WebSocket frame; and with raw values, for a subscriber that asks for them',
  run,
};
