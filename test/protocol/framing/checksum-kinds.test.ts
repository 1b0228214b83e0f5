import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { findChecksum } from '../../../src/protocol/crc/catalogue.ts';
import { checksumOf, wideChecksumOf } from '../../../src/protocol/crc/checksum.ts';
import type { ChecksumAlgorithm } from '../../../src/protocol/crc/parameters.ts';
import { hexText } from '../../../src/protocol/describe.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

const text = new TextEncoder().encode('123456789');

function checksumFor(algorithm: ChecksumAlgorithm, bytes: Uint8Array = text): bigint {
  const checksum = findChecksum(algorithm);
  if (checksum === undefined) throw new Error('no such checksum');
  return BigInt(checksum.wide ? wideChecksumOf(checksum, bytes) : checksumOf(checksum, bytes));
}

describe('sums', () => {
  test.each([
    ['fletcher-32', 'abcde', 0xf04fc729n],
    ['fletcher-32', 'abcdef', 0x56502d2an],
    ['fletcher-32', 'abcdefgh', 0xebe19591n],
    ['xor-16', 'abc', 0x0262n],
    ['lrc-8', 'abc', 0xdan],
  ])('%s of %s', (name, input, value) => {
    expect(checksumFor(name, new TextEncoder().encode(input))).toBe(value);
  });

  test('inet-16 of an IPv4 header is the one that stands in it', () => {
    expect(checksumFor('inet-16', bytesOf('4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7'))).toBe(
      0xb861n,
    );
  });
});

describe('a CRC by its parameters', () => {
  test.each<[string, ChecksumAlgorithm]>([
    ['crc-16/modbus', { width: 16, poly: 0x8005, init: 0xffff, refin: true, refout: true }],
    ['crc-16/ibm-3740', { width: 16, poly: 0x1021, init: 0xffff }],
    ['crc-12/umts', { width: 12, poly: 0x80f, refout: true }],
    [
      'crc-32/iso-hdlc',
      { width: 32, poly: 0x04c11db7, init: 0xffffffff, refin: true, refout: true, xorout: 0xffffffff },
    ],
    [
      'crc-64/xz',
      {
        width: 64,
        poly: '0x42f0e1eba9ea3693',
        init: '0xffffffffffffffff',
        refin: true,
        refout: true,
        xorout: '0xffffffffffffffff',
      },
    ],
  ])('%s', (name, parameters) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(checksumFor(parameters, bytes)).toBe(checksumFor(name, bytes));
      }),
      { numRuns: 30 },
    );
  });

  test('a named checksum with its result turned', () => {
    expect(checksumFor({ name: 'sum-8', xorout: 0x55 })).toBe(0xddn ^ 0x55n);
    expect(checksumFor({ name: 'xor-8', init: 0xff })).toBe(0x31n ^ 0xffn);
    expect(checksumFor({ name: 'crc-16/xmodem', xorout: 0xffff })).toBe(checksumFor('crc-16/gsm'));
  });

  test.each<[ChecksumAlgorithm, string]>([
    [{ width: 16 }, 'algorithm: a CRC has a polynomial'],
    [{ poly: 7 }, 'width: a CRC has 3 to 64 bits'],
    [{ width: 8, poly: 0x107 }, 'poly: 263 is no number of 8 bits'],
    [{ width: 8, poly: 7, refin: true }, 'refout: no CRC takes bytes in reflected'],
    [{ name: 'sum-9' }, 'name: there is no checksum "sum-9"'],
    [{ name: 'sum-8', poly: 7 }, 'poly: the named checksum has one already'],
    [{ name: 'sum-8', xorout: 'five' }, 'xorout: five is no number of 8 bits'],
  ])('%o is refused', (algorithm, message) => {
    expect(findChecksum(algorithm)).toBeUndefined();
    const [, words = message] = message.split(': ');
    expect(() => makeFraming({ type: 'gap', checksum: { algorithm } })).toThrow(words);
  });

  test('finds frames in a burst as a named one does', () => {
    const framing = {
      type: 'gap',
      checksum: {
        algorithm: { width: 16, poly: 0x8005, init: 0xffff, refin: true, refout: true },
        order: 'little',
      },
      maxFrame: 60,
    } as const;
    const frame = makeFraming(framing).encode(bytesOf('11 03 006b 0003'));
    expect(hexText(frame)).toBe('1103006b00037687');
    const { events } = decoderOf(framing).feed(bytesOf(`${hexText(frame)} ${hexText(frame)}`), 'idle');
    expect(events).toEqual(['1103006b0003', '1103006b0003']);
  });
});

describe('bytes that a checksum covers and that are not on the wire', () => {
  const constant = { type: 'gap', checksum: { algorithm: 'sum-8', extra: bytesOf('10 20') } } as const;

  test('are added behind all others', () => {
    expect(hexText(makeFraming(constant).encode(bytesOf('01 02')))).toBe('010233');
    expect(decoderOf(constant).feed(bytesOf('010233'), 'idle').events).toEqual(['0102']);
    expect(decoderOf(constant).feed(bytesOf('010203'), 'idle').events).toEqual(['discarded 3 bad_checksum']);
  });

  // HEARTBEAT of MAVLink 1 (CRC_EXTRA 50) and a message that is declared nowhere.
  const yaml = `
protocol:
  byte_order: little
  framing: { type: sync, sync: 0xfe, length: u8, adjust: 4, checksum: { algorithm: crc-16/mcrf4xx } }
  id: { type: u8, at: 3 }
messages:
  - name: heartbeat
    id: 0
    crc_extra: 50
    fields: [{ name: head, type: bytes, length: 3 }, { name: custom_mode, type: u32 }, { name: rest, type: bytes, length: 5 }]
  - { name: plain, id: 1, fields: [{ name: head, type: bytes, length: 3 }, { name: a, type: u8 }] }
`;
  const heartbeat = bytesOf('fe 09 4e 01 01 00 00000000 02 03 51 04 03 1c7f');

  function framingOf() {
    const { protocol, problems } = loadMessages(yaml, 'messages.yaml');
    expect(problems).toEqual([]);
    if (protocol === undefined) throw new Error('no protocol');
    return protocol.declaration.framing;
  }

  test('belong to a message', () => {
    const framing = framingOf();
    const frame = makeFraming(framing).encode(heartbeat.subarray(2, -2));
    expect(hexText(frame)).toBe(hexText(heartbeat));
    expect(decoderOf(framing).feed(frame).events).toEqual([hexText(heartbeat.subarray(2, -2))]);
    const other = frame.slice();
    other[5] = 0x07; // another id: its constant is not known, and one of 256 may fit
    expect(decoderOf(framing).feed(other).frames.length).toBeLessThanOrEqual(1);
    expect(() => makeFraming(framing).encode(bytesOf('4e 01 01 01 aa'))).toThrow('this message has none');
  });

  test('a message that is declared nowhere keeps its frame', () => {
    const table = { ...framingOf() };
    const foreign = makeFraming({
      ...table,
      checksum: { algorithm: 'crc-16/mcrf4xx', order: 'little', extra: bytesOf('27') },
    } as never).encode(bytesOf('4e 01 01 1e aa bb'));
    expect(decoderOf(table).feed(foreign, heartbeat).events).toEqual([
      hexText(bytesOf('4e 01 01 1e aa bb')),
      hexText(heartbeat.subarray(2, -2)),
    ]);
  });
});

test('parameters stand in messages.yaml, for a framing and for a field', () => {
  const { protocol, problems } = loadMessages(
    `
protocol: { framing: { type: gap, checksum: { algorithm: { width: 8, poly: 0x31, init: 0xff } } } }
messages:
  - { name: m, fields: [{ name: a, type: u8 }, { name: sum, type: crc, algorithm: { name: sum-8, xorout: 0x55 } }] }
`,
    'messages.yaml',
  );
  expect(problems).toEqual([]);
  expect(hexText(protocol?.encode('m', { a: 1 }) ?? new Uint8Array())).toBe('0154');
});

test('check says what is wrong with parameters', () => {
  const { problems } = loadMessages(
    `
protocol: { framing: { type: gap, checksum: { algorithm: { width: 8, poly: 0x31, start: 1 } } } }
messages:
  - { name: m, fields: [{ name: a, type: u8 }, { type: crc, algorithm: { width: 8 } }] }
`,
    'messages.yaml',
  );
  expect(problems.map(({ line, message }) => `${line}: ${message}`)).toEqual([
    '2: There is no key `start` here.',
  ]);
});
