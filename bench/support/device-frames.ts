import { encodeFrame } from '../../src/protocol/codec.ts';
import { DEFAULT_PROTOCOL } from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';

/** What devices say: a declared message that nobody answers, or a heartbeat, which is answered. */
export type Speech = 'telemetry' | 'heartbeat';

/** What the devices of the bench declare. */
export const protocol = new DeclaredProtocol({
  ...DEFAULT_PROTOCOL,
  enums: { mode: { 0: 'idle', 1: 'heating', 2: 'cooling' } },
  messages: [
    {
      name: 'telemetry',
      id: 0x10,
      from: 'device',
      everyMs: 10_000,
      fields: [
        { name: 'uptime', type: 'u32', unit: 's' },
        { name: 'temperature', type: 'i16', scale: 0.01, unit: '°C', limits: { warn: [-50, 150] } },
        { name: 'humidity', type: 'u8', unit: '%' },
        { name: 'mode', type: 'u8', enum: 'mode' },
        { name: 'voltage', type: 'u16', scale: 0.001, unit: 'V' },
        { name: 'current', type: 'i16', unit: 'mA' },
      ],
    },
  ],
});

/** Frames that follow each other differ, so that every one of them changes the state of its device. */
const VARIANTS = 64;
/** Frames that a device catches up with in one write at most. */
export const MOST_AT_ONCE = 64;

function telemetry(variant: number): Uint8Array {
  const payload = protocol.encode('telemetry', {
    uptime: 1_000_000 + variant,
    temperature: 20 + variant / 100,
    humidity: 40 + (variant % 20),
    mode: ['idle', 'heating', 'cooling'][variant % 3] ?? 'idle',
    voltage: 12 + variant / 1_000,
    current: variant - 32,
  });
  const frame = new Uint8Array(4 + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length);
  frame.set(payload, 4);
  return frame;
}

const heartbeat = encodeFrame({ name: 'heartbeat', kind: 'request' });
/** What answers a heartbeat. */
export const ANSWER = encodeFrame({ name: 'heartbeat', kind: 'reply', error: 0 });

export const FRAME_BYTES: Readonly<Record<Speech, number>> = {
  telemetry: telemetry(0).length,
  heartbeat: heartbeat.length,
};

/** Frames one behind the other, prepared once: the n-th one of a device, and those behind it, are a slice of this. */
export class PreparedFrames {
  readonly #bytes: Buffer;
  readonly #size: number;

  constructor(speech: Speech) {
    this.#size = FRAME_BYTES[speech];
    this.#bytes = Buffer.concat(
      Array.from({ length: VARIANTS + MOST_AT_ONCE }, (_, index) =>
        speech === 'telemetry' ? telemetry(index % VARIANTS) : heartbeat,
      ),
    );
  }

  /** So many frames, from the n-th one of a device on. */
  slice(nth: number, count: number): Buffer {
    const at = (nth % VARIANTS) * this.#size;
    return this.#bytes.subarray(at, at + count * this.#size);
  }
}
