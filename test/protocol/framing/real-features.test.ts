import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { hexText } from '../../../src/protocol/describe.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

/** A way of framing that published protocols have; the numbers are those of a list of such features. */
interface Frame {
  readonly what: string;
  readonly framing: object;
  readonly payload: string;
  readonly wire: string;
  /** Further ways in which it may arrive. */
  readonly also?: readonly string[];
  readonly messages?: readonly object[];
  readonly id?: unknown;
}

const crc = (algorithm: unknown, more: object = {}) => ({ type: 'gap', checksum: { algorithm, ...more } });

const FRAMES: readonly Frame[] = [
  {
    what: '33 a length that counts itself',
    framing: { type: 'length', length: 'u16be', adjust: -2 },
    payload: '"abc"',
    wire: '0005 "abc"',
  },
  {
    what: '34 a length in words',
    framing: { type: 'length', length: 'u8', unit: 2 },
    payload: '"abcd"',
    wire: '02 "abcd"',
  },
  {
    what: '35 a length in decimal digits',
    framing: { type: 'length', length: 'dec4' },
    payload: '"abc"',
    wire: '"0003abc"',
  },
  {
    what: '36 a length as a varint',
    framing: { type: 'length', length: 'varint' },
    payload: '"abc"',
    wire: '03 "abc"',
  },
  {
    what: '50 Fletcher-32',
    framing: crc('fletcher-32', { order: 'big' }),
    payload: '"abcde"',
    wire: '"abcde" f04fc729',
  },
  {
    what: '51 the checksum of the internet',
    framing: crc('inet-16', { order: 'big' }),
    payload: '0001f203f4f5f6f7',
    wire: '0001f203f4f5f6f7 220d',
  },
  {
    what: '52 a sum of 24 bits',
    framing: crc('sum-24', { order: 'big' }),
    payload: 'ff ff 03',
    wire: 'ff ff 03 000201',
  },
  { what: '53 LRC', framing: crc('lrc-8'), payload: '11 03 006b 0003', wire: '11 03 006b 0003 7e' },
  {
    what: '54 a CRC of 16 bits that no catalogue has',
    framing: crc({ width: 16, poly: 0x1021, init: 0x1d0f, xorout: 0xffff }, { order: 'big' }),
    payload: '"123456789"',
    // The complement of CRC-16/SPI-FUJITSU, whose check is e5cc.
    wire: '"123456789" 1a33',
  },
  {
    what: '55 words that are XORed',
    framing: crc('xor-16', { order: 'big' }),
    payload: '1234 00ff',
    wire: '1234 00ff 12cb',
  },
  {
    what: '56 a sum that is XORed with 55',
    framing: crc({ name: 'sum-8', xorout: 0x55 }),
    payload: '01 02',
    wire: '01 02 56',
  },
  {
    what: '57 a CRC by its parameters',
    framing: crc({ width: 8, poly: 0x31, init: 0xff }),
    payload: 'beef',
    wire: 'beef 92',
  },
  {
    what: '58 a constant that is not on the wire',
    framing: {
      type: 'sync',
      sync: 0xfe,
      length: 'u8',
      adjust: 4,
      checksum: { algorithm: 'crc-16/mcrf4xx', order: 'little', extra_by_id: { 0: 50 } },
    },
    id: { type: 'u8', at: 3 },
    payload: '4e 01 01 00 00000000 02 03 51 04 03',
    wire: 'fe 09 4e 01 01 00 00000000 02 03 51 04 03 1c7f',
  },
  {
    what: '61 JT/T 808',
    framing: {
      type: 'delimiter',
      delimiter: 0x7e,
      escape: { byte: 0x7d, xor: 0x7c },
      checksum: { algorithm: 'xor-8' },
    },
    payload: '01 7e 7d 02',
    wire: '7e 01 7d02 7d01 02 00 7e',
  },
  {
    what: '62 DLE STX and DLE ETX, DLE doubled',
    framing: { type: 'delimiter', start: [0x10, 0x02], delimiter: [0x10, 0x03], escape: { byte: 0x10 } },
    payload: '01 10 03 02',
    wire: '1002 01 1010 03 02 1003',
  },
  {
    what: '63 a check character behind the ETX that it covers',
    framing: {
      type: 'delimiter',
      start: 0x02,
      delimiter: 0x03,
      checksum: { algorithm: 'xor-8', place: 'behind', includes: ['delimiter'] },
    },
    payload: '"abc"',
    wire: '02 "abc" 03 63',
  },
  {
    what: '64 Modbus ASCII',
    framing: {
      type: 'delimiter',
      start: ':',
      delimiter: '\r\n',
      encoding: 'hex',
      checksum: { algorithm: 'lrc-8' },
    },
    payload: '11 03 006b 0003',
    wire: '":1103006B00037E" 0d0a',
  },
  {
    what: '65 two sync words',
    framing: {
      type: 'sync',
      sync: [
        [0xaa, 0x55],
        [0xaa, 0x56],
      ],
      length: 'u8',
    },
    payload: '"ab"',
    wire: 'aa55 02 "ab"',
    also: ['aa56 02 "ab"'],
  },
  {
    what: '66 a byte of the sync word that may be any',
    framing: { type: 'sync', sync: [0x37, 'any', 0x3f], length: 'u8', at: 3 },
    payload: '66 3f 03 "abc"',
    wire: '37 66 3f 03 "abc"',
  },
  {
    what: '67 bytes in front that wake the device',
    framing: {
      type: 'sync',
      preamble: [0xfe, 0xfe, 0xfe, 0xfe],
      sync: 0x68,
      length: 'u8',
      checksum: { algorithm: 'sum-8' },
    },
    payload: '"ab"',
    wire: 'fefefefe 68 02 "ab" c5',
    also: ['68 02 "ab" c5', 'fe 68 02 "ab" c5'],
  },
  {
    what: '68 other ends when sending',
    framing: { type: 'delimiter', delimiter: '>', send: { delimiter: '\r' } },
    payload: '"abc"',
    wire: '"abc" 0d',
    also: ['"abc>"'],
  },
  {
    what: '69 any end of a line',
    framing: { type: 'delimiter', delimiter: ['\r\n', '\n', '\r'] },
    payload: '"abc"',
    wire: '"abc" 0d0a',
    also: ['"abc" 0a', '"abc" 0d'],
  },
  {
    what: '70 a length by the id of the message',
    framing: { type: 'id', lengths: { 1: 3 }, checksum: { algorithm: 'sum-8' } },
    id: 'u8',
    messages: [{ name: 'a', id: 1, from: 'any', fields: [{ name: 'x', type: 'u16' }] }],
    payload: '01 0a0b',
    wire: '01 0a0b 16',
  },
  { what: '71 bytes that end with silence', framing: { type: 'gap' }, payload: '15', wire: '15' },
];

describe('the frames of real protocols', () => {
  test.each(FRAMES)('$what', ({ framing, id, payload, wire, also = [], messages = [] }) => {
    const yaml = stringify({ protocol: { framing, ...(id === undefined ? {} : { id }) }, messages });
    const { protocol, problems } = loadMessages(yaml, 'messages.yaml');
    expect(problems).toEqual([]);
    const declared = protocol?.declaration.framing;
    if (declared === undefined) throw new Error('nothing was read');
    expect(hexText(makeFraming(declared).encode(bytesOf(payload)))).toBe(hexText(bytesOf(wire)));
    const arrives = 'send' in framing ? also : [wire, ...also];
    for (const each of arrives)
      expect(decoderOf(declared).feed('idle', bytesOf(each), 'idle').events).toEqual([
        hexText(bytesOf(payload)),
      ]);
  });
});
