import { describe, expect, test } from 'vitest';
import { hexText } from '../../../src/protocol/describe.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { catalogue } from './catalogue.ts';
import { type Arrival, bytesOf, decoderOf } from './collecting-sink.ts';

/** All at once, in single bytes, cut once at every byte, and in threes and sevens. */
function* cuttings(bytes: Uint8Array): Generator<Uint8Array[]> {
  yield [bytes];
  for (let at = 1; at < bytes.length; at++) yield [bytes.slice(0, at), bytes.slice(at)];
  for (const size of [1, 3, 7]) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.slice(at, at + size));
    yield chunks;
  }
}

describe.each(catalogue)('$name', ({ framing, frames }) => {
  const { encode, needsSilence, describe: words } = makeFraming(framing);
  const line = { line: 'serial' } as const;
  const payloads = frames.map(([payload]) => hexText(bytesOf(payload)));
  test.each(frames)('%s is %s on the wire', (payload, wire) => {
    expect(hexText(encode(bytesOf(payload)))).toBe(hexText(bytesOf(wire)));
  });

  test('frames one after the other, cut at every byte, on a line and on a stream', () => {
    for (const options of [line, { line: 'stream' } as const]) {
      const bytes = needsSilence
        ? frames.map(([, wire]) => [...cuttings(bytesOf(wire))])
        : [[...cuttings(bytesOf(frames.map(([, wire]) => wire).join(' ')))]];
      for (const part of bytes) {
        for (const chunks of part) {
          // A line in silence is in step, whatever its framing.
          const arrivals: Arrival[] = ['idle', ...chunks];
          if (needsSilence) arrivals.push('idle');
          const { frames: found, discardedBytes } = decoderOf(framing, options).feed(...arrivals);
          if (needsSilence) expect(payloads).toContain(found.join());
          else expect(found).toEqual(payloads);
          expect(discardedBytes).toBe(0);
        }
      }
    }
  });

  test('a frame is delivered with the byte that completes it', () => {
    for (const [payload, wire] of frames) {
      const bytes = bytesOf(wire);
      const { feed, sink, decoder } = decoderOf(framing, { line: 'stream' });
      feed(bytes.subarray(0, -1));
      expect(sink.events).toEqual([]);
      feed(bytes.subarray(-1));
      if (needsSilence) {
        expect(sink.events).toEqual([]);
        decoder.idle();
      }
      expect(sink.events).toEqual([hexText(bytesOf(payload))]);
      expect(decoder.pending).toBe(0);
    }
  });

  // A line that proves itself is whole with the CR of its CR LF.
  const missing = framing.type === 'delimiter' ? framing.delimiter.length : 1;

  test('the end of a half frame is told, and nothing after the end', () => {
    for (const [, wire] of frames) {
      const bytes = bytesOf(wire).subarray(0, -missing);
      const { sink, decoder } = decoderOf(framing, { line: 'stream' });
      decoder.push(bytes);
      decoder.close();
      const told = sink.events.length;
      expect(told).toBeGreaterThan(0);
      expect(sink.frames).toEqual([]);
      decoder.push(bytes);
      decoder.idle();
      decoder.close();
      expect(sink.events.length).toBe(told);
      expect(decoder.pending).toBe(0);
    }
  });

  test('silence ends a half frame, and the next one is taken', () => {
    for (const [payload, wire] of frames) {
      const bytes = bytesOf(wire);
      if (framing.type === 'gap' || bytes.length < 3) continue;
      const { feed } = decoderOf(framing);
      const found = feed('idle', bytes.subarray(0, -missing), 'idle', bytes, 'idle');
      expect(found.frames).toEqual([hexText(bytesOf(payload))]);
      expect(found.events.at(-1)).toBe(hexText(bytesOf(payload)));
    }
  });

  test('has words', () => {
    expect(words.startsWith(framing.type)).toBe(true);
  });
});
