import type { FrameSink } from '../../src/protocol/decoder.ts';
import { hexText } from '../../src/protocol/describe.ts';
import type { FramingDeclaration } from '../../src/protocol/framing/declaration.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';
import { seededRandom } from './random.ts';

export interface FramingDamage {
  readonly seed: number;
  readonly frames: number;
  /** Probability that a byte is lost, and that one is invented before it. */
  readonly rate: number;
  /** Probability that a silence follows a frame; always 1 where silence is what tells frames apart. */
  readonly silence: number;
}

export interface FramingRecovery {
  /** Frames that arrived whole, and those of them that were delivered. */
  readonly whole: number;
  readonly recovered: number;
  /** Payloads that were delivered and never sent. */
  readonly fabricated: number;
}

class PayloadSink implements FrameSink {
  readonly payloads: string[] = [];
  frame(bytes: Uint8Array, start: number, end: number): void {
    this.payloads.push(hexText(bytes, start, end));
  }
  discarded(): void {}
  fault(): void {
    throw new Error('a line never faults');
  }
}

/** Letters only, so that every framing carries it; the first ones say which frame it is. */
/** With room for a length that stands in the payload. */
const LEAST_PAYLOAD = 10;

function payloadOf(framing: FramingDeclaration, index: number, random: () => number): Uint8Array {
  const length =
    framing.type === 'fixed' ? makeFraming(framing).maxPayload : LEAST_PAYLOAD + Math.floor(random() * 12);
  const payload = Uint8Array.from({ length }, () => 0x41 + Math.floor(random() * 26));
  for (let digit = 0, rest = index; digit < 4; digit++, rest = Math.floor(rest / 26)) {
    payload[digit] = 0x41 + (rest % 26);
  }
  return payload;
}

/** Sends frames over a line that loses and invents bytes, and compares what arrived with what was delivered. */
export function measureFraming(framing: FramingDeclaration, damage: FramingDamage): FramingRecovery {
  const random = seededRandom(damage.seed);
  const { encode, needsSilence, makeDecoder } = makeFraming(framing);
  const sink = new PayloadSink();
  const decoder = makeDecoder(sink, { line: 'serial' });
  // A line that was silent is in step, whatever its framing.
  decoder.idle();
  const sent = new Set<string>();
  const whole = new Set<string>();
  for (let index = 0; index < damage.frames; index++) {
    const frame = encode(payloadOf(framing, index, random));
    const payload = alone(framing, frame);
    sent.add(payload);
    const { bytes, intact } = damaged(frame, damage.rate, random);
    if (intact) whole.add(payload);
    for (let at = 0; at < bytes.length; ) {
      const to = at + 1 + Math.floor(random() * 16);
      decoder.push(bytes.slice(at, to));
      at = to;
    }
    if (needsSilence || random() < damage.silence) decoder.idle();
  }
  decoder.close();
  const found = new Set(sink.payloads);
  return {
    whole: whole.size,
    recovered: [...whole].filter((each) => found.has(each)).length,
    fabricated: [...found].filter((each) => !sent.has(each)).length,
  };
}

/** The payload of a frame as a decoder delivers it: what `encode` filled in is part of it. */
function alone(framing: FramingDeclaration, frame: Uint8Array): string {
  const sink = new PayloadSink();
  const decoder = makeFraming(framing).makeDecoder(sink, { line: 'stream' });
  decoder.push(frame);
  decoder.idle();
  return sink.payloads[0] ?? '';
}

function damaged(
  frame: Uint8Array,
  rate: number,
  random: () => number,
): { bytes: Uint8Array; intact: boolean } {
  const bytes: number[] = [];
  let intact = true;
  for (const byte of frame) {
    if (random() < rate) {
      intact = false;
      continue;
    }
    if (random() < rate) {
      intact = false;
      bytes.push(Math.floor(random() * 256));
    }
    bytes.push(byte);
  }
  return { bytes: Uint8Array.from(bytes), intact };
}
