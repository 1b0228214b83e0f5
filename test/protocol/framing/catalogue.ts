import type { FramingDeclaration } from '../../../src/protocol/framing/declaration.ts';
import { bytesOf } from './collecting-sink.ts';

interface Known {
  readonly name: string;
  readonly framing: FramingDeclaration;
  /** Payload and its whole frame on the wire, each as hex or quoted text. */
  readonly frames: ReadonlyArray<readonly [payload: string, wire: string]>;
  /** Lost bytes cost no frame but those that they hit, or stood right beside, however close the frames are. */
  readonly resynchronises: boolean;
  /** Damage is noticed, but for the chance of the checksum. */
  readonly proves: boolean;
}

const CRLF = bytesOf('0d0a');

/** Framings with frames from the documents of real protocols where there are any; the tests run all of them. */
export const catalogue: readonly Known[] = [
  {
    name: 'length, one byte',
    framing: { type: 'length', length: 'u8', maxFrame: 200 },
    frames: [
      ['aa', '01 aa'],
      ['01 02 03', '03 01 02 03'],
    ],
    resynchronises: false,
    proves: false,
  },
  {
    name: 'length, Modbus TCP',
    framing: { type: 'length', length: 'u16be', at: 4, maxFrame: 260 },
    frames: [
      ['0001 0000 0006 11 03 006b 0003', '0001 0000 0006 11 03 006b 0003'],
      ['0001 0000 0009 11 03 06 ae41 5652 4340', '0001 0000 0009 11 03 06 ae41 5652 4340'],
    ],
    resynchronises: false,
    proves: false,
  },
  {
    name: 'length that counts the whole frame, with a CRC and a trailer',
    framing: {
      type: 'length',
      length: 'u24le',
      adjust: -6,
      checksum: { algorithm: 'crc-16/xmodem' },
      trailer: bytesOf('7e'),
      maxFrame: 100,
    },
    frames: [['"123456789"', '0f0000 "123456789" 2220 7e']],
    resynchronises: true,
    proves: true,
  },
  {
    name: 'sync, u-blox UBX',
    framing: {
      type: 'sync',
      sync: bytesOf('b562'),
      length: 'u16le',
      at: 4,
      checksum: { algorithm: 'fletcher-8-ubx' },
      maxFrame: 1024,
    },
    frames: [
      ['06 01 0300 f0 00 00', 'b5 62 06 01 0300 f0 00 00 fa 0f'],
      ['0a 04 0000', 'b5 62 0a 04 0000 0e 34'],
    ],
    resynchronises: true,
    proves: true,
  },
  {
    name: 'sync, JBD battery',
    framing: {
      type: 'sync',
      sync: bytesOf('dd'),
      length: 'u8',
      at: 3,
      checksum: { algorithm: 'sum-16-twos', covers: [{ from: 2 }] },
      trailer: bytesOf('77'),
      maxFrame: 258,
    },
    frames: [['a5 03 00', 'dd a5 03 00 fffd 77']],
    resynchronises: true,
    proves: true,
  },
  {
    name: 'sync with a number added to bytes, DL/T 645',
    framing: {
      type: 'sync',
      sync: Int16Array.of(0x68, -1, -1, -1, -1, -1, -1, 0x68),
      length: 'u8',
      at: 9,
      add: { byte: 0x33, from: 10 },
      checksum: { algorithm: 'sum-8', covers: [{ from: 0 }] },
      trailer: bytesOf('16'),
      maxFrame: 220,
    },
    frames: [
      ['610100000000 68 11 04 00010102', '68 610100000000 68 11 04 33343435 17 16'],
      ['610100000000 68 91 06 00010102 0110', '68 610100000000 68 91 06 33343435 3443 10 16'],
      ['610100000000 68 91 02 cdff', '68 610100000000 68 91 02 0032 f7 16'],
    ],
    resynchronises: true,
    proves: true,
  },
  {
    name: 'sync without a checksum',
    framing: { type: 'sync', sync: bytesOf('aa55'), length: 'u8', maxFrame: 64 },
    frames: [['01 02', 'aa 55 02 01 02']],
    resynchronises: false,
    proves: false,
  },
  {
    name: 'fixed, with a sync byte and a sum',
    framing: { type: 'fixed', length: 9, sync: bytesOf('ff'), checksum: { algorithm: 'sum-8-twos' } },
    frames: [['86 02 60 47 00 00 00', 'ff 86 02 60 47 00 00 00 d1']],
    resynchronises: true,
    proves: false,
  },
  {
    name: 'fixed, with a CRC only',
    framing: { type: 'fixed', length: 9, checksum: { algorithm: 'crc-8/maxim-dow' } },
    frames: [['50 05 4b 46 7f ff 0c 10', '50 05 4b 46 7f ff 0c 10 1c']],
    resynchronises: false,
    proves: false,
  },
  {
    name: 'SLIP',
    framing: { type: 'slip', maxFrame: 64 },
    frames: [
      ['01 02', 'c0 01 02 c0'],
      ['c0 db 00 dc', 'c0 db dc db dd 00 dc c0'],
    ],
    resynchronises: true,
    proves: false,
  },
  {
    name: 'SLIP with a CRC',
    framing: { type: 'slip', checksum: { algorithm: 'crc-32', order: 'little' }, maxFrame: 300 },
    frames: [['"123456789"', 'c0 "123456789" 26 39 f4 cb c0']],
    resynchronises: true,
    proves: true,
  },
  {
    name: 'COBS',
    framing: { type: 'cobs', maxFrame: 600 },
    frames: [
      ['00', '01 01 00'],
      ['00 00', '01 01 01 00'],
      ['00 11 00', '01 02 11 01 00'],
      ['11 22 00 33', '03 11 22 02 33 00'],
      ['11 22 33 44', '05 11 22 33 44 00'],
      ['11 00 00 00', '02 11 01 01 01 00'],
    ],
    resynchronises: true,
    proves: false,
  },
  {
    name: 'COBS with a CRC',
    framing: { type: 'cobs', checksum: { algorithm: 'crc-16/ibm-3740', order: 'big' }, maxFrame: 300 },
    frames: [['"123456789"', '0c "123456789" 29 b1 00']],
    resynchronises: true,
    proves: true,
  },
  {
    name: 'delimiter, lines',
    framing: { type: 'delimiter', delimiter: CRLF, maxFrame: 80 },
    frames: [['"V" 09 "12800"', '"V" 09 "12800" 0d0a']],
    resynchronises: true,
    proves: false,
  },
  {
    name: 'delimiter, NMEA 0183',
    framing: {
      type: 'delimiter',
      start: bytesOf('"$"'),
      delimiter: CRLF,
      checksum: { algorithm: 'xor-8', encoding: 'hex', separator: bytesOf('"*"') },
      maxFrame: 82,
    },
    frames: [
      [
        '"GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,"',
        '"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47" 0d0a',
      ],
    ],
    resynchronises: true,
    proves: false,
  },
  {
    name: 'delimiter, asynchronous HDLC',
    framing: {
      type: 'delimiter',
      delimiter: bytesOf('7e'),
      escape: { byte: 0x7d, xor: 0x20 },
      checksum: { algorithm: 'crc-16/x-25', order: 'little' },
      maxFrame: 300,
    },
    frames: [
      ['"123456789"', '7e "123456789" 6e 90 7e'],
      ['7e 7d 5e 5d', '7e 7d5e 7d5d 5e 5d f9 b7 7e'],
    ],
    resynchronises: true,
    proves: true,
  },
  {
    name: 'delimiter, with a literal escape',
    framing: { type: 'delimiter', delimiter: bytesOf('"end"'), escape: { byte: 0x5c }, maxFrame: 40 },
    frames: [['"send" 5c', '"s" 5c "end" 5c 5c "end"']],
    resynchronises: false,
    proves: false,
  },
  {
    name: 'gap, Modbus RTU',
    framing: {
      type: 'gap',
      checksum: { algorithm: 'crc-16/modbus', order: 'little' },
      maxFrame: 254,
    },
    frames: [
      ['11 03 006b 0003', '11 03 006b 0003 76 87'],
      ['11 03 06 ae41 5652 4340', '11 03 06 ae41 5652 4340 49 ad'],
    ],
    resynchronises: true,
    proves: true,
  },
];
