import { describe, expect, test } from 'vitest';
import { findChecksum } from '../../../src/protocol/crc/catalogue.ts';
import type { FramingDeclaration } from '../../../src/protocol/framing/declaration.ts';
import type { CoveredRange } from '../../../src/protocol/framing/framing-keys.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, CollectingSink, decoderOf } from './collecting-sink.ts';

const stream = { line: 'stream' } as const;

/** aa, a length, a payload of 10 20 30 40, and the sum of what is covered. */
const wireWith = (covers: readonly CoveredRange[] | undefined) => {
  const framing: FramingDeclaration = {
    type: 'sync',
    sync: bytesOf('aa'),
    length: 'u8',
    checksum: { algorithm: 'sum-8', covers },
  };
  return { framing, sum: makeFraming(framing).encode(bytesOf('10 20 30 40')).at(-1) };
};

describe('a checksum', () => {
  test.each<readonly [string, readonly CoveredRange[] | undefined, number]>([
    ['all behind the sync word', undefined, 0x04 + 0xa0],
    ['the whole frame', [{ from: 0 }], (0xaa + 0x04 + 0xa0) & 0xff],
    ['up to a byte', [{ from: 2, to: 4 }], 0x30],
    ['all but the last bytes', [{ from: 2, to: -1 }], 0x60],
    ['two ranges', [{ from: 0, to: 1 }, { from: 5 }], 0xaa + 0x40],
    ['no more than there is in front of it', [{ from: 4, to: 9 }], 0x70],
    ['nothing where the frame is too short', [{ from: 40 }], 0],
  ])('covers %s', (_, covers, expected) => {
    const { framing, sum } = wireWith(covers);
    expect(sum).toBe(expected);
    const { frames } = decoderOf(framing, stream).feed(bytesOf('aa 04 10 20 30 40'), Uint8Array.of(expected));
    expect(frames).toEqual(['10203040']);
  });

  test('needs its separator', () => {
    const framing: FramingDeclaration = {
      type: 'delimiter',
      delimiter: bytesOf('0a'),
      checksum: { algorithm: 'xor-8', encoding: 'hex', separator: bytesOf('"*"') },
    };
    const { events } = decoderOf(framing, stream).feed(bytesOf('"a#61" 0a "b*62" 0a'));
    expect(events).toEqual(['discarded 5 bad_checksum', '62']);
  });

  test.each(['big', 'little'] as const)('may be of 64 bits, %s-endian', (order) => {
    const framing: FramingDeclaration = { type: 'gap', checksum: { algorithm: 'crc-64/xz', order } };
    const { encode } = makeFraming(framing);
    const wire = encode(bytesOf('"123456789"'));
    const value = [...wire.slice(9)];
    if (order === 'little') value.reverse();
    expect(value).toEqual([...bytesOf('995dc9bbdf1939fa')]);
    expect(decoderOf(framing).feed(wire, 'idle').frames).toEqual(['313233343536373839']);
    wire[3] = 0;
    expect(decoderOf(framing).feed(wire, 'idle').events).toEqual(['discarded 17 bad_checksum']);
  });

  test('that does not exist is refused, with the place and the fix', () => {
    expect(findChecksum('crc-17')).toBeUndefined();
    expect(() => makeFraming({ type: 'slip', checksum: { algorithm: 'crc-17' } })).toThrow(
      expect.objectContaining({
        code: 'bad_argument',
        message: expect.stringContaining('framing.checksum.algorithm'),
        fix: expect.stringContaining('crc-16/modbus'),
      }),
    );
  });
});

describe.each<readonly [string, FramingDeclaration, string]>([
  ['length', { type: 'length', length: 'u8' }, '01 aa 01 bb'],
  ['slip', { type: 'slip' }, 'aa c0 bb c0'],
  ['gap', { type: 'gap', checksum: { algorithm: 'crc-16/modbus', order: 'little' } }, '01 7e80 01 7e80'],
])('a sink of %s', (_, framing, text) => {
  test('may close the decoder while it is called: nothing follows', () => {
    const sink = new CollectingSink();
    const decoder = makeFraming(framing).makeDecoder(
      {
        frame(bytes, start, end) {
          sink.frame(bytes, start, end);
          decoder.close();
        },
        discarded: (report) => sink.discarded(report),
        fault: (report) => sink.fault(report),
      },
      stream,
    );
    decoder.push(bytesOf(text));
    decoder.idle();
    expect(sink.events).toHaveLength(1);
    expect(decoder.pending).toBe(0);
  });

  test('must not feed the decoder that calls it, and ends it when it throws', () => {
    const decoder = makeFraming(framing).makeDecoder(
      {
        frame: () => decoder.push(bytesOf('00')),
        discarded: () => undefined,
        fault: () => undefined,
      },
      stream,
    );
    expect(() => {
      decoder.push(bytesOf(text));
      decoder.idle();
    }).toThrow(expect.objectContaining({ code: 'decoder_reentered' }));
    decoder.push(bytesOf(text));
    expect(decoder.pending).toBe(0);
  });
});
