import { builtinMessages, builtinProtocol } from '../src/protocol/builtin.ts';
import { encodeFrame } from '../src/protocol/codec.ts';
import { DEFAULT_PROTOCOL } from '../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../src/protocol/declared/declared-protocol.ts';
import { type FrameShape, type MessageDefinition, ProtocolDefinition } from '../src/protocol/definition.ts';
import { LineDecoder } from '../src/protocol/line-decoder.ts';
import { alternate, type Bench, type BenchRow } from './support/bench.ts';
import { measureRecovery, type Recovery } from './support/damaged-line.ts';
import { seededRandom } from './support/random.ts';

const MIB = 1_048_576;
const SIZES_MIB = [2.5, 5, 10] as const;
const CHUNK_BYTES = 256;
const ROUNDS = 7;

/** Four times the bytes may take this many times as long; quadratic work would take sixteen times. */
const MOST_GROWTH = 8;

const LONG_BYTES = 60_000;

/** The dearest message that anybody could declare: long, and its checksum, which is always wrong, covers all of it. */
const longShape: FrameShape = {
  message: 'long',
  kind: 'request',
  minLength: 1000,
  maxLength: LONG_BYTES,
  content: 'a checksum',
  weak: false,
  check(bytes, start, end) {
    let sum = 1;
    for (let at = start; at < end; at++) sum = (sum + (bytes[at] ?? 0)) & 0xff;
    return sum === 256 ? end - start : ~(end - start);
  },
};
const longMessage: MessageDefinition = {
  name: 'long',
  id: 0x10,
  shapes: [longShape],
  decode: () => ({ name: 'heartbeat', kind: 'request' }),
};
const withLong = new ProtocolDefinition([...builtinMessages(), longMessage]);

/** The same as anybody would write it into messages.yaml. */
const declared = new DeclaredProtocol({
  ...DEFAULT_PROTOCOL,
  messages: [
    {
      name: 'long',
      id: 0x10,
      fields: [
        { name: 'label', type: 'text', length: 16, encoding: 'latin1' },
        { name: 'list', type: 'array', count: 400, of: { type: 'i16', scale: 0.01 } },
        { name: 'data', type: 'bytes', length: 'rest' },
        { name: 'crc', type: 'crc', algorithm: 'crc-16/modbus' },
      ],
    },
  ],
});

function repeated(bytes: number, block: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.alloc(bytes, block));
}

function random(bytes: number): Uint8Array {
  const next = seededRandom(1);
  return Uint8Array.from({ length: bytes }, () => Math.floor(next() * 256));
}

const uuid = new TextEncoder().encode('3f2504e0-4f89-41d3-9a0c-0305e82c3301');
const registerHeader = Uint8Array.of(0, 0, 0, 52, 0);
const longHeader = Uint8Array.of(0, 0, LONG_BYTES >> 8, LONG_BYTES & 0xff, 0x10);
const heartbeat = encodeFrame({ name: 'heartbeat', kind: 'request' });

const garbage: ReadonlyArray<{
  name: string;
  definition: ProtocolDefinition;
  make(bytes: number): Uint8Array;
}> = [
  { name: 'random bytes', definition: builtinProtocol(), make: random },
  {
    name: 'register headers back to back',
    definition: builtinProtocol(),
    make: (bytes) => repeated(bytes, registerHeader),
  },
  {
    name: 'registers with a wrong last digit',
    definition: builtinProtocol(),
    make: (bytes) => repeated(bytes, Buffer.concat([registerHeader, uuid, Buffer.from('49015420323751x')])),
  },
  {
    name: 'headers of 60,000 bytes with a checksum',
    definition: withLong,
    make: (bytes) => repeated(bytes, longHeader),
  },
  {
    name: 'headers of a declared message with a CRC',
    definition: new ProtocolDefinition([...builtinMessages(), ...declared.definition().messages]),
    make: (bytes) => repeated(bytes, longHeader),
  },
  {
    name: 'such headers between heartbeats',
    definition: withLong,
    make: (bytes) => repeated(bytes, Buffer.concat([heartbeat, longHeader])),
  },
];

function digest(definition: ProtocolDefinition, bytes: Uint8Array): void {
  let seen = 0;
  const decoder = new LineDecoder(definition, {
    frame: (_bytes, start, end) => {
      seen += 4 + end - start;
    },
    discarded: (report) => {
      seen += report.count;
    },
    fault: () => {
      throw new Error('a line never faults');
    },
  });
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) decoder.push(bytes.subarray(at, at + CHUNK_BYTES));
  decoder.close();
  if (seen !== bytes.length) throw new Error(`${seen} bytes were accounted for, of ${bytes.length}`);
}

function* growth(): Generator<BenchRow> {
  for (const { name, definition, make } of garbage) {
    const [small, middle, large] = SIZES_MIB.map((size) => make(size * MIB));
    if (small === undefined || middle === undefined || large === undefined) continue;
    const times = alternate(ROUNDS, {
      small: () => digest(definition, small),
      middle: () => digest(definition, middle),
      large: () => digest(definition, large),
    });
    const grown = times.large / times.small;
    yield {
      name: `${name}, 10 MiB`,
      figure: `${times.large.toFixed(0)} ms, ${((times.large * 1e6) / (10 * MIB)).toFixed(1)} ns/byte`,
      peer: `5 MiB ${times.middle.toFixed(0)} ms, 2.5 MiB ${times.small.toFixed(0)} ms`,
      ratio: `${grown.toFixed(2)}x for 4x the bytes`,
      target: { text: `<= ${MOST_GROWTH}x`, met: grown <= MOST_GROWTH },
    };
  }
}

function* recovery(): Generator<BenchRow> {
  for (const [dropped, inserted] of [
    [0, 0],
    [0.001, 0.001],
    [0.01, 0.01],
    [0.03, 0.03],
  ] as const) {
    for (const largestChunk of [1, 64]) {
      const runs: Recovery[] = [];
      for (let seed = 1; seed <= 10; seed++) {
        runs.push(measureRecovery({ seed, frames: 5000, dropped, inserted, backToBack: 0.5, largestChunk }));
      }
      const sum = (pick: (run: Recovery) => number) => runs.reduce((total, run) => total + pick(run), 0);
      const share = sum((run) => run.recovered) / sum((run) => run.undamaged);
      const fabricated = sum((run) => run.fabricatedHunting);
      yield {
        name: `${dropped * 100} % lost, ${inserted * 100} % invented, ${largestChunk === 1 ? 'single bytes' : 'chunks of 1 to 64'}`,
        figure: `${(share * 100).toFixed(2)} % recovered of ${sum((run) => run.undamaged)} undamaged frames`,
        peer: `fabricated replies: ${fabricated} hunting, ${sum((run) => run.fabricatedLocked)} in step; altered ${sum((run) => run.altered)}`,
        ratio: '-',
        target: { text: '>= 95 % and none hunting', met: share >= 0.95 && fabricated === 0 },
      };
    }
  }
}

function* run(): Generator<BenchRow> {
  yield* growth();
  yield* recovery();
}

/** What garbage costs on a serial line, and what a damaged line still yields. */
export const bench: Bench = {
  about: `resynchronisation: garbage in chunks of ${CHUNK_BYTES} bytes, medians of ${ROUNDS} rounds; a damaged line, seeds 1 to 10, half of the frames back to back`,
  run,
};
