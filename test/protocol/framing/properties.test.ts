import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hexText } from '../../../src/protocol/describe.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { anyCuts, cutAnyhow } from '../arbitraries.ts';
import { payloadFor } from './arbitraries.ts';
import { catalogue } from './catalogue.ts';
import { type Arrival, decoderOf } from './collecting-sink.ts';

/** The silence that ends a frame of some framings comes behind every one of them. */
function arrivalsOf(frames: readonly Uint8Array[], cuts: readonly number[], silence: boolean): Arrival[] {
  if (silence) return frames.flatMap((frame) => [...cutAnyhow(frame, cuts), 'idle' as const]);
  return cutAnyhow(Uint8Array.from(frames.flatMap((frame) => [...frame])), cuts);
}

describe.each(catalogue)('$name', ({ framing }) => {
  const { encode, needsSilence, maxPayload } = makeFraming(framing);
  const lengthInPayload = 'at' in framing && framing.at !== undefined;

  test('what was encoded is decoded, however it is cut, on a line and on a stream', () => {
    fc.assert(
      fc.property(
        fc.array(payloadFor(framing), { minLength: 1, maxLength: 5 }),
        anyCuts,
        fc.constantFrom('stream' as const, 'serial' as const),
        (payloads, cuts, line) => {
          const frames = payloads.map((payload) => encode(payload));
          const found = decoderOf(framing, { line }).feed('idle', ...arrivalsOf(frames, cuts, needsSilence));
          if (lengthInPayload) {
            const again = found.frames.map((hex) =>
              hexText(encode(Uint8Array.from(Buffer.from(hex, 'hex')))),
            );
            expect(again).toEqual(frames.map((frame) => hexText(frame)));
          } else expect(found.frames).toEqual(payloads.map((payload) => hexText(payload)));
          expect(found.events).toEqual(found.frames);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('random bytes and silences never throw, and what is held stays bounded', () => {
    const noise = fc.array(fc.oneof(fc.uint8Array({ maxLength: 60 }), payloadFor(framing).map(encode)), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        noise,
        anyCuts,
        fc.constantFrom('stream' as const, 'serial' as const),
        (parts, cuts, line) => {
          const { decoder, sink } = decoderOf(framing, { line });
          const bound = 2 * (2 * maxPayload + 1200) + 40;
          for (const part of parts) {
            for (const chunk of cutAnyhow(part, cuts)) {
              decoder.push(chunk);
              if (decoder.pending > bound) throw new Error(`${decoder.pending} bytes are held`);
            }
            if ((cuts[0] ?? 0) % 3 === 0) decoder.idle();
          }
          decoder.close();
          expect(decoder.pending).toBe(0);
          for (const report of sink.discards) {
            expect(report.sample.length).toBe(Math.min(64, report.count));
            expect(report.expected).not.toBe('');
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the chunks are not written to, and their memory is not kept', () => {
    fc.assert(
      fc.property(payloadFor(framing), (payload) => {
        const frame = encode(payload);
        const before = hexText(frame);
        const { feed } = decoderOf(framing, { line: 'stream' });
        const half = Math.floor(frame.length / 2);
        const first = frame.slice(0, half);
        feed(first);
        first.fill(0xee);
        const second = frame.slice(half);
        const found = feed(second, 'idle');
        expect(hexText(second)).toBe(before.slice(2 * half));
        expect(found.frames.length).toBe(1);
      }),
      { numRuns: 30 },
    );
  });
});
