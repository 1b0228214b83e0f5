import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../bench/support/random.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { catalogue } from './catalogue.ts';
import { decoderOf } from './collecting-sink.ts';

const FRAMES = 400;

/** A payload of its own for every frame: what is delivered can be told from what was sent. */
function payloadOf(type: string, maxPayload: number, index: number, random: () => number): Uint8Array {
  const length = type === 'fixed' ? maxPayload : 8 + Math.floor(random() * 12);
  const payload = Uint8Array.from({ length }, () => 0x41 + Math.floor(random() * 26));
  // Letters only, so that every framing carries it; the first ones count.
  for (let digit = 0, rest = index; digit < 4; digit++, rest = Math.floor(rest / 26)) {
    payload[digit] = 0x41 + (rest % 26);
  }
  return payload;
}

interface Outcome {
  readonly whole: number;
  readonly recovered: number;
  readonly fabricated: number;
}

/** Sends frames over a line that loses and invents bytes; `apart` is the chance of silence behind a frame. */
function run(entry: (typeof catalogue)[number], seed: number, rate: number, apart: number): Outcome {
  const random = seededRandom(seed);
  const { encode, needsSilence, maxPayload } = makeFraming(entry.framing);
  const { decoder, sink } = decoderOf(entry.framing);
  decoder.idle();
  const sent = new Set<string>();
  const wholes = new Set<string>();
  for (let index = 0; index < FRAMES; index++) {
    const frame = encode(payloadOf(entry.framing.type, maxPayload, index, random));
    // What `encode` fills in is part of what arrives.
    const payload = decoderOf(entry.framing, { line: 'stream' }).feed(frame, 'idle').frames[0] ?? '';
    sent.add(payload);
    let whole = true;
    const damaged: number[] = [];
    for (const byte of frame) {
      if (random() < rate) {
        whole = false;
        continue;
      }
      if (random() < rate) {
        whole = false;
        damaged.push(Math.floor(random() * 256));
      }
      damaged.push(byte);
    }
    if (whole) wholes.add(payload);
    for (let at = 0; at < damaged.length; ) {
      const to = at + 1 + Math.floor(random() * 16);
      decoder.push(Uint8Array.from(damaged.slice(at, to)));
      at = to;
    }
    if (needsSilence || random() < apart) decoder.idle();
  }
  decoder.close();
  const found = new Set(sink.frames);
  return {
    whole: wholes.size,
    recovered: [...wholes].filter((each) => found.has(each)).length,
    fabricated: [...found].filter((each) => !sent.has(each)).length,
  };
}

describe.each(catalogue)('$name', (entry) => {
  test('a line without damage loses nothing', () => {
    expect(run(entry, 1, 0, 0.5)).toEqual({ whole: FRAMES, recovered: FRAMES, fabricated: 0 });
  });

  test.each([1, 2, 3])('a line that loses and invents 0.5 %% of its bytes, seed %d', (seed) => {
    const { whole, recovered, fabricated } = run(entry, seed, 0.005, 0.5);
    expect(whole).toBeGreaterThan(FRAMES / 2);
    expect(whole).toBeLessThan(FRAMES);
    // A delimiter that was lost, or an escape that was invented, takes the next frame with it.
    if (entry.resynchronises) expect(recovered / whole).toBeGreaterThanOrEqual(0.95);
    else expect(recovered / whole).toBeGreaterThanOrEqual(0.5);
    if (entry.proves) expect(fabricated).toBe(0);
  });

  test('garbage between frames costs no frame that a silence separates from it', () => {
    const random = seededRandom(7);
    const { encode, maxPayload } = makeFraming(entry.framing);
    const { decoder, sink } = decoderOf(entry.framing);
    const payloads: string[] = [];
    decoder.idle();
    for (let index = 0; index < 100; index++) {
      decoder.push(
        Uint8Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 256)),
      );
      decoder.idle();
      const frame = encode(payloadOf(entry.framing.type, maxPayload, index, random));
      payloads.push(decoderOf(entry.framing, { line: 'stream' }).feed(frame, 'idle').frames[0] ?? '');
      decoder.push(frame);
      decoder.idle();
    }
    const found = new Set(sink.frames);
    expect(payloads.filter((each) => !found.has(each))).toEqual([]);
    expect(payloads.length).toBe(100);
    expect(sink.discardedBytes).toBeGreaterThan(0);
  });
});
