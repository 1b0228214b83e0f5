import { describe, expect, test } from 'vitest';
import type { FramingDeclaration } from '../../../src/protocol/framing/declaration.ts';
import type { DelimiterFraming } from '../../../src/protocol/framing/delimiter-marks.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

const stream = { line: 'stream' } as const;
const lines: DelimiterFraming = { type: 'delimiter', delimiter: bytesOf('0d0a'), maxFrame: 8 };

describe('what comes first on a line', () => {
  test.each<readonly [string, FramingDeclaration, string, readonly string[]]>([
    ['is set aside without a checksum', lines, '"nd" 0d0a "new" 0d0a', ['discarded 4 no_header', '6e6577']],
    ['is taken where one trusts it', { ...lines, first: 'take' }, '"nd" 0d0a', ['6e64']],
    [
      'is judged by a start',
      { ...lines, start: bytesOf('"$"') },
      '"nd" 0d0a "$new" 0d0a',
      ['discarded 4 no_header', '6e6577'],
    ],
    ['is no loss where a delimiter opens it', { type: 'slip' }, 'c0 01 c0', ['01']],
    [
      'is judged by a checksum',
      { type: 'cobs', checksum: { algorithm: 'sum-8' } },
      '02 01 00 03 01 01 00',
      ['discarded 3 bad_checksum', '01'],
    ],
  ])('%s', (_, framing, text, expected) => {
    expect(decoderOf(framing).feed(bytesOf(text)).events).toEqual(expected);
    const { feed, sink } = decoderOf(framing);
    for (const byte of bytesOf(text)) feed(Uint8Array.of(byte));
    expect(sink.events).toEqual(expected);
  });

  test('is a frame behind silence, and on a stream', () => {
    expect(decoderOf(lines).feed('idle', bytesOf('"nd" 0d0a')).events).toEqual(['6e64']);
    expect(decoderOf(lines, stream).feed(bytesOf('"nd" 0d0a')).events).toEqual(['6e64']);
    expect(decoderOf({ ...lines, first: 'skip' }, stream).feed(bytesOf('"nd" 0d0a')).frames).toEqual([]);
  });
});

describe('a frame that is too long', () => {
  const expected = ['61', 'discarded 13 too_long', '62'];

  test('is set aside up to its delimiter, whatever its chunks', () => {
    const bytes = bytesOf('"a" 0d0a "12345678901" 0d0a "b" 0d0a');
    expect(decoderOf(lines, stream).feed(bytes).events).toEqual(expected);
    for (let at = 1; at < bytes.length; at++) {
      expect(decoderOf(lines, stream).feed(bytes.subarray(0, at), bytes.subarray(at)).events).toEqual(
        expected,
      );
    }
  });

  test('holds no memory, however long it goes on', () => {
    const { decoder, sink } = decoderOf(lines, stream);
    let most = 0;
    for (let turn = 0; turn < 300; turn++) {
      decoder.push(new Uint8Array(1024).fill(0x61));
      most = Math.max(most, decoder.pending);
    }
    expect(most).toBeLessThan(16);
    decoder.push(bytesOf('0d0a "b" 0d0a'));
    expect(sink.frames).toEqual(['62']);
    expect(sink.discardedBytes).toBe(300 * 1024 + 2);
  });
});

describe('delimiter', () => {
  test('empty frames are passed over', () => {
    expect(decoderOf(lines, stream).feed(bytesOf('0d0a 0d0a "a" 0d0a 0d0a')).events).toEqual(['61']);
  });

  test('the last start counts: what a lost delimiter left before it is another frame', () => {
    const framing: DelimiterFraming = { ...lines, start: bytesOf('"$"'), maxFrame: 40 };
    expect(decoderOf(framing).feed(bytesOf('"$one$two" 0d0a')).events).toEqual(['74776f']);
  });

  test('an escaped delimiter is content, also where it is cut', () => {
    const framing: DelimiterFraming = { type: 'delimiter', delimiter: bytesOf('0a'), escape: { byte: 0x5c } };
    const bytes = bytesOf('61 5c0a 62 5c5c 0a');
    expect(decoderOf(framing, stream).feed(bytes).events).toEqual(['610a625c']);
    for (let at = 1; at < bytes.length; at++) {
      expect(decoderOf(framing, stream).feed(bytes.subarray(0, at), bytes.subarray(at)).events).toEqual([
        '610a625c',
      ]);
    }
  });

  test('a checksum in hex digits may be written in either case', () => {
    const framing: DelimiterFraming = {
      type: 'delimiter',
      delimiter: bytesOf('0a'),
      checksum: { algorithm: 'xor-8', encoding: 'hex', separator: bytesOf('"*"') },
    };
    const { events } = decoderOf(framing, stream).feed(
      bytesOf('"a" 2a "61" 0a "jk" 2a "01" 0a "k" 2a "6b" 0a "k*6B" 0a "k*6G" 0a "*00" 0a'),
      'idle',
    );
    expect(events).toEqual(['61', '6a6b', '6b', '6b', 'discarded 9 bad_checksum']);
  });

  test('a payload with a delimiter in it is refused where nothing can escape it', () => {
    for (const text of ['"a" 0d0a', '"a" 0d0a "b"']) {
      expect(() => makeFraming(lines).encode(bytesOf(text))).toThrow(/delimiter/);
    }
    const started = makeFraming({ ...lines, start: bytesOf('"$"') });
    expect(() => started.encode(bytesOf('"a$"'))).toThrow(/delimiter/);
    expect(() => makeFraming(lines).encode(new Uint8Array(9))).toThrow(/1 to 8 bytes/);
  });
});

describe('broken encodings are told, and cost one frame', () => {
  test.each<readonly [string, FramingDeclaration, string, readonly string[]]>([
    [
      'SLIP, an escape of nothing',
      { type: 'slip' },
      '01 c0 02 db 03 c0 04 c0',
      ['01', 'discarded 4 bad_encoding', '04'],
    ],
    [
      'SLIP, an escape at the end',
      { type: 'slip' },
      '01 c0 02 db c0 04 c0',
      ['01', 'discarded 3 bad_encoding', '04'],
    ],
    [
      'COBS, a run beyond the end',
      { type: 'cobs' },
      '02 01 00 05 02 00 02 04 00',
      ['01', 'discarded 3 bad_encoding', '04'],
    ],
    ['COBS, a payload of nothing', { type: 'cobs' }, '02 01 00 01 00 02 04 00', ['01', '04']],
    [
      'HDLC, an aborted frame',
      { type: 'delimiter', delimiter: bytesOf('7e'), escape: { byte: 0x7d, xor: 0x20 } },
      '01 7e 02 7d 7e 04 7e',
      ['01', 'discarded 3 bad_encoding', '04'],
    ],
    [
      'a checksum and no payload',
      { type: 'slip', checksum: { algorithm: 'sum-8' } },
      '00 c0',
      ['discarded 2 bad_checksum'],
    ],
  ])('%s', (_, framing, text, expected) => {
    const { sink, decoder } = decoderOf(framing, stream);
    decoder.push(bytesOf(text));
    decoder.close();
    expect(sink.events).toEqual(expected);
  });
});

describe('COBS', () => {
  const { encode } = makeFraming({ type: 'cobs' });
  const ramp = (from: number, count: number) =>
    Uint8Array.from({ length: count }, (_, index) => (from + index) & 0xff);

  test.each([
    ['254 bytes without a zero', ramp(1, 254), [0xff, ...ramp(1, 254), 0]],
    [
      '255 bytes without a zero',
      Uint8Array.from([...ramp(1, 254), 0xff]),
      [0xff, ...ramp(1, 254), 2, 0xff, 0],
    ],
    ['254 bytes and a zero', Uint8Array.from([...ramp(1, 254), 0]), [0xff, ...ramp(1, 254), 1, 1, 0]],
    ['a zero and 254 bytes', ramp(0, 255), [1, 0xff, ...ramp(1, 254), 0]],
  ])('%s', (_, payload, wire) => {
    expect([...encode(payload)]).toEqual(wire);
    const { frames } = decoderOf({ type: 'cobs' }, stream).feed(Uint8Array.from(wire));
    expect(frames).toEqual([Buffer.from(payload).toString('hex')]);
  });
});
