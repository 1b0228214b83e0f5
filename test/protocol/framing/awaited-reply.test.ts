import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FramingDeclaration } from '../../../src/protocol/framing/declaration.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, CollectingSink } from './collecting-sink.ts';

/** Feeds chunks; whether a reply is awaited is asked at any time. */
function events(
  framing: FramingDeclaration,
  line: 'stream' | 'serial',
  chunks: readonly Uint8Array[],
  awaits: () => boolean,
): CollectingSink {
  const sink = Object.assign(new CollectingSink(), { awaitsReply: awaits });
  const judge = {
    possible: () => true,
    spans: [[FRAME.length, FRAME.length]] as const,
    // The only message begins with 77.
    check: (bytes: Uint8Array, start: number) => (bytes[start + 2] === 0x77 ? 1 : ~1),
  };
  const decoder = makeFraming(framing).makeDecoder(sink, { line, judge });
  for (const each of chunks) decoder.push(each);
  return sink;
}

/** Two bytes, a length, and what it counts; the whole frame is the payload, as with Modbus TCP. */
const LENGTH: FramingDeclaration = { type: 'length', length: 'u8', at: 3, maxFrame: 32 };
const FRAME = bytesOf('00 01 77 02 aa bb');
const HEX = '00017702aabb';

const cuts = (bytes: Uint8Array): Uint8Array[] => [...bytes].map((byte) => Uint8Array.of(byte));
const join = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((each) => [...each]));

describe('bytes in front of a reply on a stream', () => {
  const stray = ['ff', 'ffff', 'ffffff', '00', '0000000000000000', 'ffffffffffffffff'].map(bytesOf);

  test.each(stray)('are looked past while it is awaited, wherever it is cut', (...bytes) => {
    const noise = Uint8Array.from(bytes.flatMap((each) => [...each]));
    for (const chunks of [[join(noise, FRAME)], [noise, FRAME], cuts(join(noise, FRAME))]) {
      const sink = events(LENGTH, 'stream', chunks, () => true);
      expect(sink.frames).toEqual([HEX]);
      expect(sink.discardedBytes).toBe(noise.length);
      expect(sink.faults).toEqual([]);
    }
  });

  test('are looked past where they make a length that no message has, without waiting for it', () => {
    // The second byte of the frame stands where a length would be, and claims one byte more than there is.
    const frame = bytesOf('00 09 77 02 aa bb');
    const sink = events(LENGTH, 'stream', [join(bytesOf('ff ff'), frame)], () => true);
    expect(sink.frames).toEqual(['00097702aabb']);
    expect(sink.events).toEqual(['discarded 2 no_header', '00097702aabb']);
  });

  test('that are a frame of another message are delivered as one', () => {
    const other = bytesOf('00 01 66 02 01 02');
    expect(events(LENGTH, 'stream', [other], () => true).frames).toEqual(['000166020102']);
  });

  test('that make a frame of no message are delivered as one when nothing is awaited any more', () => {
    const other = bytesOf('00 01 66 03 01 02 03');
    let awaits = true;
    const sink = events(LENGTH, 'stream', [other, new Uint8Array(), FRAME], () => {
      const before = awaits;
      awaits = false;
      return before;
    });
    expect(sink.frames).toEqual(['00016603010203', HEX]);
  });

  test('end the link where nothing is awaited, where they are many, and where they are another protocol', () => {
    const wrong = bytesOf('ff ff ff ff ff');
    expect(events(LENGTH, 'stream', [join(wrong, FRAME)], () => false).faults).toHaveLength(1);
    const many = new Uint8Array(64).fill(0xff);
    expect(events(LENGTH, 'stream', [many], () => true).faults).toHaveLength(1);
    expect(events(LENGTH, 'stream', [bytesOf('"GET / HTTP/1.1"')], () => true).faults).toMatchObject([
      { reason: 'intruder' },
    ]);
  });

  test('are nothing that a frame in step is looked for in', () => {
    const other = bytesOf('00 01 66 02 aa bb');
    const sink = events(LENGTH, 'stream', [join(other, FRAME, other)], () => false);
    expect(sink.frames).toEqual(['00016602aabb', HEX, '00016602aabb']);
  });

  test('whatever comes, every byte is a frame, or set aside, once', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 6 }), (parts) => {
        const sink = events(LENGTH, 'stream', [...parts, FRAME], () => true);
        const framed = sink.frames.reduce((sum, each) => sum + each.length / 2, 0);
        const total = parts.reduce((sum, each) => sum + each.length, FRAME.length);
        expect(framed + sink.discardedBytes).toBeLessThanOrEqual(total);
      }),
    );
  });
});

describe('what comes first on a serial line of text', () => {
  const lines: FramingDeclaration = { type: 'delimiter', delimiter: bytesOf('0a'), maxFrame: 16 };
  const answer = bytesOf('"12.5" 0a');

  test('is an answer where we asked first', () => {
    for (const chunks of [[answer], cuts(answer)])
      expect(events(lines, 'serial', chunks, () => true).events).toEqual(['31322e35']);
  });

  test('may be half a line where it came before we asked, or where the file says so', () => {
    let asked = false;
    const late = events(lines, 'serial', cuts(answer), () => {
      const before = asked;
      asked = true;
      return before;
    });
    expect(late.frames).toEqual([]);
    expect(events({ ...lines, first: 'skip' }, 'serial', [answer], () => true).frames).toEqual([]);
  });
});
