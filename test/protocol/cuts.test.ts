import { describe, expect, test } from 'vitest';
import { builtinProtocol } from '../../src/protocol/builtin.ts';
import type { FrameDecoder, FrameSink } from '../../src/protocol/decoder.ts';
import { LineDecoder } from '../../src/protocol/line-decoder.ts';
import { StreamDecoder } from '../../src/protocol/stream-decoder.ts';
import { fromHex, messageFixtures, streamFixtures } from './fixtures.ts';
import { RecordingSink, summary } from './recording-sink.ts';

const definition = builtinProtocol();
const decoders: ReadonlyArray<readonly ['stream' | 'line', (sink: FrameSink) => FrameDecoder]> = [
  ['stream', (sink) => new StreamDecoder(definition, sink)],
  ['line', (sink) => new LineDecoder(definition, sink)],
];

function decode(make: (sink: FrameSink) => FrameDecoder, chunks: readonly Uint8Array[]): RecordingSink {
  const sink = new RecordingSink(definition);
  const decoder = make(sink);
  for (const chunk of chunks) decoder.push(chunk);
  decoder.close();
  return sink;
}

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

describe.each(decoders)('%s decoder', (line, make) => {
  const fixtures = streamFixtures.flatMap((each) => {
    const expected = each[line];
    return expected === null ? [] : [{ name: each.name, hex: each.hex, expected }];
  });

  test.each(fixtures)('$name, cut at every byte', ({ hex, expected }) => {
    for (const chunks of cuttings(fromHex(hex))) expect(decode(make, chunks).events).toEqual(expected);
  });

  // An error code of the device's own is no sign of a frame while a line is still out of step.
  const plain = messageFixtures.filter(
    ({ message }) => message.kind !== 'reply' || [0, -1].includes(message.error),
  );

  test.each(plain)('$name, alone, cut at every byte', ({ hex, message }) => {
    for (const chunks of cuttings(fromHex(hex))) expect(decode(make, chunks).messages).toEqual([message]);
  });

  test('every message, one after the other, cut at every byte', () => {
    // The first one brings a line into step.
    const all = [...plain.slice(0, 1), ...messageFixtures];
    const bytes = fromHex(all.map((each) => each.hex).join(''));
    const expected = all.map((each) => summary(each.message));
    for (const chunks of cuttings(bytes)) expect(decode(make, chunks).events).toEqual(expected);
  });

  test('whole frames are delivered with the byte that completes them', () => {
    for (const { hex, message } of plain) {
      const sink = new RecordingSink(definition);
      const decoder = make(sink);
      const bytes = fromHex(hex);
      decoder.push(bytes.subarray(0, -1));
      expect(sink.events).toEqual([]);
      expect(decoder.pending).toBe(bytes.length - 1);
      decoder.push(bytes.subarray(-1));
      expect(sink.messages).toEqual([message]);
      expect(decoder.pending).toBe(0);
    }
  });
});
