import { describe, expect, test } from 'vitest';
import { measureFraming } from '../../../bench/support/damaged-framing.ts';
import { seededRandom } from '../../../bench/support/random.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { catalogue } from './catalogue.ts';
import { decoderOf } from './collecting-sink.ts';

const FRAMES = 400;

describe.each(catalogue)('$name', (entry) => {
  test('a line without damage loses nothing', () => {
    expect(measureFraming(entry.framing, { seed: 1, frames: FRAMES, rate: 0, silence: 0.5 })).toEqual({
      whole: FRAMES,
      recovered: FRAMES,
      fabricated: 0,
    });
  });

  test.each([1, 2, 3])('a line that loses and invents 0.5 %% of its bytes, seed %d', (seed) => {
    const { whole, recovered, fabricated } = measureFraming(entry.framing, {
      seed,
      frames: FRAMES,
      rate: 0.005,
      silence: 0.5,
    });
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
    const length = entry.framing.type === 'fixed' ? maxPayload : 12;
    const payloads: string[] = [];
    decoder.idle();
    for (let index = 0; index < 100; index++) {
      decoder.push(
        Uint8Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 256)),
      );
      decoder.idle();
      const frame = encode(Uint8Array.from({ length }, (_, at) => 0x41 + ((index * (at + 1)) % 26)));
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
