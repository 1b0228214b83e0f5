import { builtinProtocol } from '../src/protocol/builtin.ts';
import { encodeFrame } from '../src/protocol/codec.ts';
import type { FrameDecoder, FrameSink } from '../src/protocol/decoder.ts';
import { LineDecoder } from '../src/protocol/line-decoder.ts';
import type { Message } from '../src/protocol/message.ts';
import { StreamDecoder } from '../src/protocol/stream-decoder.ts';
import { alternate, type Bench, type BenchRow } from './support/bench.ts';

const CHUNK_BYTES = 64;
/** Little enough for a round to fit into a slice of a processor that others use too. */
const TOTAL_BYTES = 1024 * 1024;
const ROUNDS = 101;

const definition = builtinProtocol();

const heartbeat: Message = { name: 'heartbeat', kind: 'request' };
const heartbeatReply: Message = { name: 'heartbeat', kind: 'reply', error: 0 };
const datetime: Message = { name: 'datetime', kind: 'request' };
const datetimeReply: Message = {
  name: 'datetime',
  kind: 'reply',
  error: 0,
  fields: { datetime: '2026-11-21 00:07:36' },
};
const register: Message = {
  name: 'register',
  kind: 'request',
  fields: { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' },
};
const telemetry: Message = {
  name: 'unknown',
  kind: 'unknown',
  id: 0x10,
  payload: new Uint8Array(200).fill(0x10),
};

/** What is sent, and whether a line can follow without declarations for it. The targets are about the first. */
const corpora: ReadonlyArray<{ name: string; messages: readonly Message[]; line: boolean; target?: true }> = [
  {
    name: 'linkProtocol',
    messages: [register, heartbeat, heartbeatReply, datetime, datetimeReply, heartbeat, heartbeatReply],
    line: true,
    target: true,
  },
  { name: 'registers', messages: [register], line: true },
  { name: 'telemetry of 200 bytes', messages: [telemetry], line: false },
  { name: 'heartbeats only', messages: [heartbeat], line: true },
];

/** The messages over and over, cut into chunks, each with memory of its own like chunks that were read. */
function chunksOf(messages: readonly Message[]): { chunks: Buffer[]; frames: number } {
  const block = Buffer.concat(messages.map(encodeFrame));
  const blocks = Math.ceil(TOTAL_BYTES / block.length);
  const bytes = Buffer.alloc(blocks * block.length, block);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    chunks.push(Buffer.from(bytes.subarray(at, at + CHUNK_BYTES)));
  }
  return { chunks, frames: blocks * messages.length };
}

/** Takes frames as cheaply as possible, and must have got them all. */
class CountingSink implements FrameSink {
  frames = 0;
  checksum = 0;
  frame(bytes: Uint8Array, start: number, end: number): void {
    this.frames++;
    this.checksum += end - start + (bytes[start] ?? 0);
  }
  discarded(): void {
    throw new Error('nothing is damaged here');
  }
  fault(): void {
    throw new Error('nothing is damaged here');
  }
}

function decodeAll(
  make: (sink: FrameSink) => FrameDecoder,
  chunks: readonly Uint8Array[],
  frames: number,
): void {
  const sink = new CountingSink();
  const decoder = make(sink);
  for (const chunk of chunks) decoder.push(chunk);
  if (sink.frames !== frames) throw new Error(`${sink.frames} frames of ${frames}`);
}

/** The loop that everybody writes first. */
function naive(chunks: readonly Buffer[], frames: number): void {
  const sink = new CountingSink();
  let held: Buffer = Buffer.alloc(0);
  for (const chunk of chunks) {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4) {
      const end = 4 + held.readUInt32BE(0);
      if (held.length < end) break;
      const payload = held.subarray(4, end);
      sink.frame(payload, 0, payload.length);
      held = held.subarray(end);
    }
  }
  if (sink.frames !== frames) throw new Error(`${sink.frames} frames of ${frames}`);
}

const copied = new Uint8Array(65_536);

/** The least that anything can do that keeps the bytes. */
function memcpy(chunks: readonly Uint8Array[]): void {
  let at = 0;
  for (const chunk of chunks) {
    if (at + chunk.length > copied.length) at = 0;
    copied.set(chunk, at);
    at += chunk.length;
  }
}

function* run(): Generator<BenchRow> {
  for (const { name, messages, line, target } of corpora) {
    const { chunks, frames } = chunksOf(messages);
    const times = alternate(ROUNDS, {
      stream: () => decodeAll((sink) => new StreamDecoder(definition, sink), chunks, frames),
      line: () => (line ? decodeAll((sink) => new LineDecoder(definition, sink), chunks, frames) : undefined),
      naive: () => naive(chunks, frames),
      memcpy: () => memcpy(chunks),
    });
    const perChunk = (ms: number) => `${((ms * 1e6) / chunks.length).toFixed(0)} ns/chunk`;
    for (const which of line ? (['stream', 'line'] as const) : (['stream'] as const)) {
      const own = times[which];
      const faster = times.naive / own;
      const dearer = own / times.memcpy;
      yield {
        name: `${name}, ${which}`,
        figure: perChunk(own),
        peer: `Buffer.concat loop ${perChunk(times.naive)}`,
        ratio: `${faster.toFixed(1)}x as fast`,
        ...(target && { target: { text: '>= 5x', met: faster >= 5 } }),
      };
      yield {
        name: `${name}, ${which}`,
        figure: perChunk(own),
        peer: `memcpy ${perChunk(times.memcpy)}`,
        ratio: `${dearer.toFixed(2)}x the time`,
        ...(target && { target: { text: '<= 3x', met: dearer <= 3 } }),
      };
    }
  }
}

/** How dear framing is: chunks of 64 bytes, as a slow sender or a serial driver yields them. */
export const bench: Bench = {
  about: `decoding ${TOTAL_BYTES / 1_048_576} MiB in chunks of ${CHUNK_BYTES} bytes, medians of ${ROUNDS} alternating rounds`,
  run,
};
