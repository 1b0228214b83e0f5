import { describe, expect, test } from 'vitest';
import type { GapFraming } from '../../../src/protocol/framing/gap.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

const modbus: GapFraming = {
  type: 'gap',
  checksum: { algorithm: 'crc-16/modbus', order: 'little' },
  maxFrame: 254,
};
const REQUEST = '11 03 006b 0003 7687';
const REPLY = '11 03 06 ae41 5652 4340 49ad';
const requestHex = '1103006b0003';
const replyHex = '110306ae4156524340';

describe('gap', () => {
  test('needs a link that reports silence', () => {
    expect(makeFraming(modbus).needsSilence).toBe(true);
  });

  test('a burst in any number of chunks is one frame', () => {
    const { feed, sink } = decoderOf(modbus);
    for (const byte of bytesOf(REPLY)) feed(Uint8Array.of(byte));
    expect(sink.events).toEqual([]);
    feed('idle');
    expect(sink.events).toEqual([replyHex]);
  });

  test('two frames in one burst are told apart by their checksums', () => {
    expect(decoderOf(modbus).feed(bytesOf(`${REQUEST} ${REPLY}`), 'idle').events).toEqual([
      requestHex,
      replyHex,
    ]);
  });

  test('a little noise in front of a frame is looked past', () => {
    expect(decoderOf(modbus).feed(bytesOf(`00ff ${REPLY}`), 'idle').events).toEqual([
      'discarded 2 no_header',
      replyHex,
    ]);
  });

  test('damage costs its burst, and says what is wrong', () => {
    const { events, discards } = decoderOf(modbus).feed(
      bytesOf('11 03 006b 0004 7687'),
      'idle',
      bytesOf(REPLY),
      'idle',
    );
    expect(events).toEqual(['discarded 8 bad_checksum', replyHex]);
    expect(discards[0]?.expected).toBe('a frame with crc-16/modbus');
  });

  test('silence without bytes is nothing', () => {
    expect(decoderOf(modbus).feed('idle', 'idle').events).toEqual([]);
  });

  test('a burst without an end holds no memory, and is reported all the same', () => {
    const { decoder, sink } = decoderOf(modbus);
    for (let turn = 0; turn < 100; turn++) {
      decoder.push(new Uint8Array(1000));
      expect(decoder.pending).toBeLessThan(1024);
    }
    expect(sink.events).toEqual(['discarded 66000 too_long']);
    decoder.idle();
    expect(sink.events).toEqual(['discarded 66000 too_long', 'discarded 34000 too_long']);
    decoder.push(bytesOf(REPLY));
    decoder.idle();
    expect(sink.frames).toEqual([replyHex]);
  });

  test('without a checksum the burst is the payload, up to the bound', () => {
    const plain: GapFraming = { type: 'gap', maxFrame: 4 };
    const { events } = decoderOf(plain).feed(
      bytesOf('0102'),
      'idle',
      bytesOf('0102030405'),
      'idle',
      bytesOf('01020304'),
      'idle',
    );
    expect(events).toEqual(['0102', 'discarded 5 too_long', '01020304']);
  });

  test('a narrow checksum decides no more than whether the burst is right', () => {
    const narrow: GapFraming = { type: 'gap', checksum: { algorithm: 'sum-8' }, maxFrame: 16 };
    expect(decoderOf(narrow).feed(bytesOf('0101 0202'), 'idle').events).toEqual(['discarded 4 bad_checksum']);
  });

  test('the end of the link ends a burst as well', () => {
    const { decoder, sink } = decoderOf(modbus);
    decoder.push(bytesOf(REPLY));
    decoder.close();
    expect(sink.events).toEqual([replyHex]);
  });
});
