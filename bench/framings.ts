import type { FrameSink } from '../src/protocol/decoder.ts';
import type { FramingDeclaration } from '../src/protocol/framing/declaration.ts';
import { makeFraming } from '../src/protocol/framing/make-framing.ts';
import { alternate, type Bench, type BenchRow } from './support/bench.ts';
import { measureFraming } from './support/damaged-framing.ts';
import { readBurst } from './support/gap-burst.ts';
import * as naive from './support/naive-framings.ts';
import { seededRandom } from './support/random.ts';

const CHUNK_BYTES = 64;
const TOTAL_BYTES = 2 * 1024 * 1024;
const ROUNDS = 9;
const HOSTILE_BYTES = 1024 * 1024;

const bytes = (...values: number[]) => Uint8Array.from(values);

interface Subject {
  readonly name: string;
  readonly framing: FramingDeclaration;
  /** Bytes of the payload; of a layout, with the header that belongs to it. */
  readonly payload: number;
  readonly text?: true;
  readonly naive: (sink: FrameSink) => naive.NaiveDecoder;
  /** Looks like frames, and never is one. */
  readonly hostile: Uint8Array;
}

const ubx: FramingDeclaration = {
  type: 'sync',
  sync: bytes(0xb5, 0x62),
  length: 'u16le',
  at: 4,
  checksum: { algorithm: 'fletcher-8-ubx' },
  maxFrame: 4096,
};

const subjects: readonly Subject[] = [
  {
    name: 'length u16le',
    framing: { type: 'length', length: 'u16le' },
    payload: 40,
    naive: naive.naiveLength,
    hostile: bytes(0xff, 0x7f),
  },
  {
    name: 'sync, u-blox UBX',
    framing: ubx,
    payload: 96,
    naive: naive.naiveSync,
    hostile: bytes(0xb5, 0x62, 1, 7, 0xff, 0x0f),
  },
  {
    name: 'fixed 32',
    framing: { type: 'fixed', length: 32 },
    payload: 32,
    naive: naive.naiveFixed(32),
    hostile: bytes(0),
  },
  {
    name: 'SLIP',
    framing: { type: 'slip' },
    payload: 40,
    naive: naive.naiveSlip,
    hostile: bytes(0xdb, 0xdd),
  },
  { name: 'COBS', framing: { type: 'cobs' }, payload: 40, naive: naive.naiveCobs, hostile: bytes(5, 0) },
  {
    name: 'delimiter, lines',
    framing: { type: 'delimiter', delimiter: bytes(13, 10) },
    payload: 40,
    text: true,
    naive: naive.naiveLines,
    hostile: bytes(13),
  },
];

/** Takes frames as cheaply as possible. */
class CountingSink implements FrameSink {
  frames = 0;
  checksum = 0;
  frame(payload: Uint8Array, start: number, end: number): void {
    this.frames++;
    this.checksum += end - start + (payload[start] ?? 0);
  }
  discarded(): void {
    this.checksum++;
  }
  fault(): void {
    this.checksum++;
  }
}

function chunksOf(all: Uint8Array): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < all.length; at += CHUNK_BYTES)
    chunks.push(Buffer.from(all.subarray(at, at + CHUNK_BYTES)));
  return chunks;
}

function framesOf({ framing, payload, text }: Subject): { chunks: Buffer[]; frames: number } {
  const random = seededRandom(1);
  const { encode } = makeFraming(framing);
  const parts: Uint8Array[] = [];
  let total = 0;
  while (total < TOTAL_BYTES) {
    const content = Uint8Array.from({ length: payload }, () =>
      text ? 0x41 + Math.floor(random() * 26) : Math.floor(random() * 256),
    );
    const frame = encode(content);
    parts.push(frame);
    total += frame.length;
  }
  return { chunks: chunksOf(Buffer.concat(parts)), frames: parts.length };
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

function decode(framing: FramingDeclaration, chunks: readonly Buffer[], expected?: number): void {
  const sink = new CountingSink();
  const decoder = makeFraming(framing).makeDecoder(sink, {
    line: expected === undefined ? 'serial' : 'stream',
  });
  for (const chunk of chunks) decoder.push(chunk);
  decoder.close();
  if (expected !== undefined && sink.frames !== expected)
    throw new Error(`${sink.frames} frames of ${expected}`);
}

function decodeNaively(subject: Subject, chunks: readonly Buffer[], expected: number): void {
  const sink = new CountingSink();
  const push = subject.naive(sink);
  for (const chunk of chunks) push(chunk);
  if (sink.frames !== expected) throw new Error(`${sink.frames} frames of ${expected}`);
}

function* throughput(subject: Subject): Generator<BenchRow> {
  const { chunks, frames } = framesOf(subject);
  const times = alternate(ROUNDS, {
    own: () => decode(subject.framing, chunks, frames),
    naive: () => decodeNaively(subject, chunks, frames),
    memcpy: () => memcpy(chunks),
  });
  const total = chunks.length * CHUNK_BYTES;
  const speed = (ms: number) => `${(total / 1_048_576 / (ms / 1000)).toFixed(0)} MiB/s`;
  const faster = times.naive / times.own;
  yield {
    name: `${subject.name}, ${subject.payload} bytes`,
    figure: speed(times.own),
    peer: `as usually written ${speed(times.naive)}; memcpy ${speed(times.memcpy)}`,
    ratio: `${faster.toFixed(1)}x as fast`,
    target: { text: '>= 1.5x', met: faster >= 1.5 },
  };
}

/** Twice the bytes must not take much more than twice the time. */
function* linearity({ name, framing, hostile }: Subject): Generator<BenchRow> {
  const all = (count: number) => chunksOf(Buffer.alloc(count, hostile));
  const once = all(HOSTILE_BYTES);
  const twice = all(2 * HOSTILE_BYTES);
  const times = alternate(ROUNDS, {
    once: () => decode(framing, once),
    twice: () => decode(framing, twice),
  });
  const growth = times.twice / times.once;
  yield {
    name: `${name}, hostile bytes`,
    figure: `2 MiB in ${times.twice.toFixed(1)} ms`,
    peer: `1 MiB in ${times.once.toFixed(1)} ms`,
    ratio: `${growth.toFixed(2)}x the time`,
    target: { text: '<= 2.6x', met: growth <= 2.6 },
  };
}

/** Zero bytes, of which every range has a right checksum: the dearest burst to search. */
function* burst(): Generator<BenchRow> {
  const few = new Uint8Array(64 * 1024);
  const many = new Uint8Array(4 * few.length);
  for (const each of [few, many]) each[each.length - 1] = 1;
  const times = alternate(ROUNDS, { few: () => readBurst(few), many: () => readBurst(many) });
  const growth = times.many / times.few;
  yield {
    name: 'gap, hostile bytes',
    figure: `256 KiB in ${times.many.toFixed(1)} ms`,
    peer: `64 KiB in ${times.few.toFixed(1)} ms`,
    ratio: `${growth.toFixed(2)}x the time`,
    target: { text: '<= 5.2x', met: growth <= 5.2 },
  };
}

/** Framings as they stand on serial lines, each with the checksum that is usual there, and without. */
const onLines: ReadonlyArray<readonly [name: string, framing: FramingDeclaration]> = [
  ['length u8', { type: 'length', length: 'u8' }],
  [
    'length u8, crc-16/modbus',
    { type: 'length', length: 'u8', checksum: { algorithm: 'crc-16/modbus' }, maxFrame: 64 },
  ],
  ['sync of two bytes', { type: 'sync', sync: bytes(0xb5, 0x62), length: 'u8', maxFrame: 64 }],
  [
    'sync of two bytes, crc-16/modbus',
    {
      type: 'sync',
      sync: bytes(0xb5, 0x62),
      length: 'u8',
      checksum: { algorithm: 'crc-16/modbus' },
      maxFrame: 64,
    },
  ],
  ['fixed 24', { type: 'fixed', length: 24 }],
  [
    'fixed 24, sync byte, crc-16/modbus',
    { type: 'fixed', length: 24, sync: bytes(0xaa), checksum: { algorithm: 'crc-16/modbus' } },
  ],
  ['slip', { type: 'slip', maxFrame: 64 }],
  ['slip, crc-16/modbus', { type: 'slip', checksum: { algorithm: 'crc-16/modbus' }, maxFrame: 64 }],
  ['cobs', { type: 'cobs', maxFrame: 64 }],
  ['cobs, crc-16/modbus', { type: 'cobs', checksum: { algorithm: 'crc-16/modbus' }, maxFrame: 64 }],
  ['delimiter of two bytes', { type: 'delimiter', delimiter: bytes(13, 10), maxFrame: 64 }],
  ['gap, crc-16/modbus', { type: 'gap', checksum: { algorithm: 'crc-16/modbus' }, maxFrame: 64 }],
];

function* recovery(name: string, framing: FramingDeclaration): Generator<BenchRow> {
  const damage = { seed: 1, frames: 20_000, rate: 0.005, silence: 0.5 };
  const { whole, recovered, fabricated } = measureFraming(framing, damage);
  yield {
    name: `${name}, 0.5 % lost, 0.5 % invented`,
    figure: `${((100 * recovered) / whole).toFixed(1)} % of ${whole}`,
    peer: '-',
    ratio: `${fabricated} altered`,
  };
}

function* run(): Generator<BenchRow> {
  for (const subject of subjects) yield* throughput(subject);
  for (const subject of subjects) yield* linearity(subject);
  yield* burst();
  for (const [name, framing] of onLines) yield* recovery(name, framing);
}

/** How dear the framings are, against how they are usually written; what hostile bytes cost; what a damaged line leaves. */
export const bench: Bench = {
  about: `framings in chunks of ${CHUNK_BYTES} bytes, medians of ${ROUNDS} alternating rounds`,
  run,
};
