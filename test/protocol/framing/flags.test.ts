import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hexText } from '../../../src/protocol/describe.ts';
import { checkFraming } from '../../../src/protocol/framing/check-framing.ts';
import type { DelimiterFraming } from '../../../src/protocol/framing/delimiter-marks.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

const flag: DelimiterFraming = {
  type: 'delimiter',
  start: bytesOf('5b'),
  delimiter: bytesOf('5b'),
  escape: { byte: 0x5c, xor: 0x40 },
};
const sealed: DelimiterFraming = { ...flag, checksum: { algorithm: 'crc-16/x-25', order: 'little' } };

describe('a flag opens and ends frames', () => {
  test('is sent on both sides', () => {
    expect(hexText(makeFraming(flag).encode(bytesOf('01 5b 5c 02')))).toBe('5b015c1b5c1c025b');
    expect(makeFraming(flag).describe).toContain('in front too');
  });

  test.each(['stream', 'serial'] as const)('may be shared, or doubled, on a %s', (line) => {
    const { events } = decoderOf(flag, { line }).feed(bytesOf('5b 01 5b 02 5b 5b 03 5b 5b 5b 04 5b'));
    expect(events).toEqual(['01', '02', '03', '04']);
  });

  test('what stands in front of the first flag is no frame without a checksum', () => {
    expect(decoderOf(flag, { line: 'stream' }).feed(bytesOf('01 02 5b 03 5b')).events).toEqual([
      'discarded 3 no_header',
      '03',
    ]);
    const frame = makeFraming(sealed).encode(bytesOf('0102'));
    expect(decoderOf(sealed).feed(frame.slice(1)).events).toEqual(['0102']);
  });

  test('is the default for the flag and escape of HDLC', () => {
    const framing: DelimiterFraming = {
      type: 'delimiter',
      delimiter: bytesOf('7e'),
      escape: { byte: 0x7d, xor: 0x7c },
      checksum: { algorithm: 'xor-8' },
    };
    expect(hexText(makeFraming(framing).encode(bytesOf('7e 10 7d')))).toBe('7e7d02107d01137e');
  });

  test('is no other delimiter that begins alike', () => {
    const framing = { ...flag, start: bytesOf('5b5d') };
    expect(checkFraming(framing).map(({ path }) => path)).toContainEqual(['start']);
    expect(checkFraming(flag)).toEqual([]);
  });

  test('without an escape a payload cannot hold it', () => {
    const { escape: _, ...plain } = flag;
    expect(hexText(makeFraming(plain).encode(bytesOf('0102')))).toBe('5b01025b');
    expect(() => makeFraming(plain).encode(bytesOf('015b02'))).toThrow(/holds a delimiter/);
  });

  test('law: what is written is read, whatever flags stand between', () => {
    const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(payloads, fc.nat(3), fc.constantFrom(flag, sealed), (sent, flags, framing) => {
        const wire = sent.flatMap((payload) => {
          const frame = makeFraming(framing).encode(payload);
          // The closing flag of the last frame does for the opening one too.
          return [...frame.slice(0, -1), ...new Uint8Array(flags).fill(0x5b)];
        });
        const { events } = decoderOf(framing).feed(Uint8Array.from([...wire, 0x5b]));
        expect(events).toEqual(sent.map((payload) => hexText(payload)));
      }),
    );
  });
});
