import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hexText } from '../../../src/protocol/describe.ts';
import type { FramingDeclaration } from '../../../src/protocol/framing/declaration.ts';
import type { ChecksumDeclaration } from '../../../src/protocol/framing/framing-keys.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

const checksum: ChecksumDeclaration = { algorithm: 'crc-16/xmodem' };
const framings: readonly FramingDeclaration[] = [
  { type: 'cobs', checksum, maxFrame: 40 },
  { type: 'slip', checksum, maxFrame: 40 },
  { type: 'delimiter', delimiter: bytesOf('0d0a'), checksum, maxFrame: 40 },
  { type: 'delimiter', delimiter: bytesOf('5b'), escape: { byte: 0x5c, xor: 0x40 }, checksum, maxFrame: 40 },
];

describe.each(framings)('noise in front of a frame: %o', (framing) => {
  const { encode } = makeFraming(framing);
  const payload = bytesOf('"frame" 01');
  const hex = hexText(payload);
  // Without the delimiter in front: nothing parts the noise from the frame.
  const frame = framing.type === 'slip' ? encode(payload).slice(1) : encode(payload);

  test.each(['11', '1122', '11ff55', '11223344'])('%s is set aside', (noise) => {
    const burst = Uint8Array.from([...bytesOf(noise), ...frame]);
    const { events } = decoderOf(framing).feed(frame, burst, frame);
    expect(events).toEqual([hex, `discarded ${bytesOf(noise).length} no_header`, hex, hex]);
  });

  test('more of it, or a damaged frame, costs the frame', () => {
    const damaged = Uint8Array.from(frame);
    damaged[2] = 0x31;
    for (const burst of [Uint8Array.from([...bytesOf('1122334455'), ...frame]), damaged]) {
      expect(decoderOf(framing).feed(burst, frame).frames).toEqual([hex]);
    }
  });

  test('a payload of the greatest length is found behind it too', () => {
    const long = encode(new Uint8Array(40).fill(0x41));
    const burst = Uint8Array.from([
      ...bytesOf('112233'),
      ...(framing.type === 'slip' ? long.slice(1) : long),
    ]);
    expect(decoderOf(framing).feed(burst).frames).toEqual([hexText(new Uint8Array(40).fill(0x41))]);
  });

  test('law: random pieces make no frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 40 }), (noise) => {
        expect(decoderOf(framing).feed(noise, 'idle').frames).toEqual([]);
      }),
      // A checksum of 16 bits is right by chance now and then.
      { seed: 7 },
    );
  });
});

describe('a narrow checksum', () => {
  const narrow: FramingDeclaration = { type: 'cobs', checksum: { algorithm: 'sum-8' }, maxFrame: 40 };
  const burst = Uint8Array.from([0x11, ...makeFraming(narrow).encode(bytesOf('0102'))]);

  test('does not decide where a frame begins', () => {
    expect(decoderOf(narrow).feed(burst).frames).toEqual([]);
  });

  test('does so where the messages say the rest', () => {
    const judge = {
      possible: () => true,
      check: () => 0,
      proof: (bytes: Uint8Array, start: number) => ({ bits: bytes[start] === 1 ? 8 : -1, touched: 1 }),
    };
    expect(decoderOf(narrow, { line: 'serial', judge }).feed(burst).frames).toEqual(['0102']);
  });
});
