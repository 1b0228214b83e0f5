import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { payloadJudge } from '../../../src/protocol/declared/payload-judge.ts';
import { hexText } from '../../../src/protocol/describe.ts';
import type { FramingDeclaration } from '../../../src/protocol/framing/declaration.ts';
import { makeFraming } from '../../../src/protocol/framing/make-framing.ts';
import { bytesOf, decoderOf } from './collecting-sink.ts';

const CR = bytesOf('0d');

const framings: Readonly<Record<string, FramingDeclaration>> = {
  'DLE STX, DLE ETX': {
    type: 'delimiter',
    start: bytesOf('1002'),
    delimiter: bytesOf('1003'),
    escape: { byte: 0x10 },
    maxFrame: 64,
  },
  'DLE with a CRC behind': {
    type: 'delimiter',
    start: bytesOf('1002'),
    delimiter: bytesOf('1003'),
    escape: { byte: 0x10 },
    checksum: { algorithm: 'crc-16/arc', order: 'little', place: 'behind', extra: bytesOf('03') },
    maxFrame: 64,
  },
  'TSIP: DLE, DLE ETX': {
    type: 'delimiter',
    start: bytesOf('10'),
    delimiter: bytesOf('1003'),
    escape: { byte: 0x10 },
    maxFrame: 64,
  },
  'Modbus ASCII': {
    type: 'delimiter',
    start: bytesOf('":"'),
    delimiter: bytesOf('0d0a'),
    encoding: 'hex',
    checksum: { algorithm: 'lrc-8' },
    maxFrame: 64,
  },
  'length in words': {
    type: 'sync',
    sync: bytesOf('aa55'),
    length: 'u8',
    unit: 2,
    checksum: { algorithm: 'crc-8' },
    maxFrame: 200,
  },
  'length in ten bits': {
    type: 'sync',
    sync: bytesOf('d3'),
    length: 'u16be',
    mask: 0x03ff,
    checksum: { algorithm: 'crc-16/modbus' },
    maxFrame: 200,
  },
  'decimal digits': {
    type: 'sync',
    sync: bytesOf('"#"'),
    length: 'dec3',
    checksum: { algorithm: 'crc-16/modbus' },
    maxFrame: 200,
  },
  'hexadecimal digits': {
    type: 'sync',
    sync: bytesOf('"#"'),
    length: 'hex2',
    checksum: { algorithm: 'crc-16/modbus' },
    maxFrame: 200,
  },
  varint: {
    type: 'sync',
    sync: bytesOf('aa'),
    length: 'varint',
    checksum: { algorithm: 'crc-16/modbus' },
    maxFrame: 300,
  },
  'DL/T 645': {
    type: 'sync',
    preamble: bytesOf('fefefefe'),
    sync: Int16Array.of(0x68, -1, -1, -1, -1, -1, -1, 0x68),
    length: 'u8',
    at: 9,
    checksum: { algorithm: 'sum-8', covers: [{ from: 0 }] },
    trailer: bytesOf('16'),
    maxFrame: 220,
  },
  'M-Bus': {
    type: 'sync',
    sync: Int16Array.of(0x68, -1, -1, 0x68),
    length: 'u8',
    at: 1,
    again: 2,
    adjust: 2,
    checksum: { algorithm: 'sum-8', covers: [{ from: 4 }] },
    trailer: bytesOf('16'),
    maxFrame: 250,
  },
  'two sync words': {
    type: 'sync',
    sync: [bytesOf('aa55'), bytesOf('aa56')],
    length: 'u8',
    checksum: { algorithm: 'crc-16/modbus' },
    maxFrame: 100,
  },
};

/** A payload that each of them can carry. */
function payloadFor(name: string, bytes: Uint8Array): Uint8Array {
  if (name === 'length in words') return bytes.subarray(0, bytes.length & ~1);
  if (name === 'TSIP: DLE, DLE ETX') {
    // The first byte is an id, and neither DLE nor ETX.
    const payload = bytes.slice();
    payload[0] = 0x8f;
    return payload;
  }
  if (name !== 'DL/T 645') return bytes;
  const payload = new Uint8Array(9 + bytes.length);
  payload.set(bytes.subarray(0, 6));
  payload[6] = 0x68;
  payload[8] = bytes.length;
  payload.set(bytes, 9);
  return payload;
}

const content = fc.uint8Array({ minLength: 2, maxLength: 30 });

describe.each(Object.entries(framings))('%s', (name, framing) => {
  test('frames come back as they were sent, cut anywhere', () => {
    const made = makeFraming(framing);
    fc.assert(
      fc.property(fc.array(content, { minLength: 1, maxLength: 4 }), fc.nat(), (contents, seed) => {
        const payloads = contents.map((each) => payloadFor(name, each));
        const wire = bytesOf(payloads.map((each) => hexText(made.encode(each))).join(''));
        const cut = seed % (wire.length + 1);
        const { events } = decoderOf(framing).feed(wire.subarray(0, cut), wire.subarray(cut), 'idle');
        expect(events).toEqual(payloads.map((each) => hexText(each)));
      }),
      { numRuns: 40 },
    );
  });

  test('byte by byte', () => {
    const payload = payloadFor(name, bytesOf('01 10 10 02 68 16 0d 7e'));
    const wire = makeFraming(framing).encode(payload);
    const { events } = decoderOf(framing).feed(...[...wire, ...wire].map((byte) => Uint8Array.of(byte)));
    expect(events).toEqual([hexText(payload), hexText(payload)]);
  });

  test('hostile bytes cost no exception, and the frame behind a silence is found', () => {
    const payload = payloadFor(name, bytesOf('01 02 03 04'));
    const wire = makeFraming(framing).encode(payload);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const { frames } = decoderOf(framing).feed(noise, 'idle', 'idle', wire, 'idle', 'idle');
        expect(frames).toContain(hexText(payload));
      }),
      { numRuns: 40 },
    );
  });
});

describe('a list of line ends', () => {
  const framing = {
    type: 'delimiter',
    delimiter: [bytesOf('0d0a'), bytesOf('0d'), bytesOf('0a'), bytesOf('00')],
    first: 'take',
  } as const;

  test.each([
    '"a" 0d0a "b" 0d0a',
    '"a" 0d "b" 0d',
    '"a" 0a "b" 0a',
    '"a" 00 "b" 0a',
    '0d0a "a" 0d0a 0d0a "b" 0a',
  ])('%s', (text) => {
    const wire = bytesOf(text);
    for (let cut = 0; cut <= wire.length; cut++) {
      expect(decoderOf(framing).feed(wire.subarray(0, cut), wire.subarray(cut)).events).toEqual(['61', '62']);
    }
  });

  test('the first is sent, and content with any of them is refused', () => {
    expect(hexText(makeFraming(framing).encode(bytesOf('"a"')))).toBe('610d0a');
    expect(() => makeFraming(framing).encode(bytesOf('"a" 00 "b"'))).toThrow('holds a delimiter');
  });

  test('a line that ends with CR waits for nothing', () => {
    expect(decoderOf(framing).feed(bytesOf('"a" 0d')).events).toEqual(['61']);
  });

  test('CR or CR LF, and LF is content of its own', () => {
    const two = { ...framing, delimiter: [bytesOf('0d'), bytesOf('0d0a')] } as const;
    expect(decoderOf(two).feed(bytesOf('"a" 0d'), bytesOf('0a "b" 0d 0a0d')).events).toEqual(['61', '62']);
  });
});

describe('a shell', () => {
  const lines = { type: 'delimiter', delimiter: CR, prompt: bytesOf('">"'), first: 'take' } as const;
  const reply = {
    type: 'delimiter',
    delimiter: bytesOf('0d0d ">"'),
    send: { delimiter: CR },
    first: 'take',
  } as const;

  test('a prompt is no frame and no byte of one', () => {
    const wire = bytesOf('">" "010C" 0d "41 0C 1A F8" 0d0d ">" "ATI" 0d "a>b" 0d');
    const expected = ['010C', '41 0C 1A F8', 'ATI', 'a>b'].map((text) =>
      hexText(new TextEncoder().encode(text)),
    );
    for (let cut = 0; cut <= wire.length; cut++) {
      expect(decoderOf(lines).feed(wire.subarray(0, cut), wire.subarray(cut)).events).toEqual(expected);
    }
  });

  test('a prompt of several bytes may come in pieces', () => {
    const slow = { ...lines, prompt: bytesOf('"# "') } as const;
    expect(decoderOf(slow).feed(bytesOf('"#"'), bytesOf('20 "ok" 0d "#1" 0d')).events).toEqual([
      '6f6b',
      '2331',
    ]);
  });

  test('a prompt ends a reply, and what is sent ends otherwise', () => {
    expect(hexText(makeFraming(reply).encode(bytesOf('"010C"')))).toBe(hexText(bytesOf('"010C" 0d')));
    expect(decoderOf(reply).feed(bytesOf('"a" 0d "b" 0d0d ">"')).events).toEqual(['610d62']);
    const device = makeFraming(reply, 'device');
    expect(hexText(device.encode(bytesOf('"a"')))).toBe(hexText(bytesOf('"a" 0d0d ">"')));
  });
});

describe('a preamble', () => {
  const framing = framings['DL/T 645'] as FramingDeclaration;
  const payload = hexText(bytesOf('aaaaaaaaaaaa 68 13 00'));

  test.each([
    ['none', ''],
    ['one byte', 'fe'],
    ['more than are sent', 'fefefefefefefe'],
  ])('%s in front of a frame is reported nowhere', (_, front) => {
    expect(decoderOf(framing).feed(bytesOf(`${front} 68 aaaaaaaaaaaa 68 13 00 df 16`)).events).toEqual([
      payload,
    ]);
  });

  test('noise in front of it is', () => {
    const { events } = decoderOf(framing).feed(bytesOf('0102 fefe 68 aaaaaaaaaaaa 68 13 00 df 16'));
    expect(events).toEqual(['discarded 2 no_header', payload]);
  });
});

describe('frames that are as long as their id says', () => {
  const yaml = (framing: string, messages: string) => `
protocol: { framing: ${framing}, id: u8 }
messages:
${messages}`;

  test('by the declared messages', () => {
    const { protocol, problems } = loadMessages(
      yaml(
        '{ type: id }',
        '  - { name: a, id: 1, from: device, fields: [{ name: x, type: u16 }, { name: k, type: u8, value: 0x55 }] }\n  - { name: b, id: 2, from: device, fields: [{ name: k, type: u8, value: 0xaa }] }\n',
      ),
      'messages.yaml',
    );
    expect(problems).toEqual([]);
    if (protocol === undefined) throw new Error('no protocol');
    const judge = payloadJudge(protocol, 'device');
    const wire = bytesOf('01 0102 55 02 aa 99 01 0304 55');
    for (let cut = 0; cut <= wire.length; cut++) {
      const { events } = decoderOf(protocol.declaration.framing, { line: 'serial', judge }).feed(
        wire.subarray(0, cut),
        wire.subarray(cut),
      );
      expect(events).toEqual(['01010255', '02aa', 'discarded 1 no_header', '01030455']);
    }
  });

  test.each([
    [
      'a message without a fixed size',
      '{ type: id }',
      '  - { name: a, id: 1, fields: [{ name: x, type: text, length: rest }] }\n',
      'has no fixed size',
    ],
    [
      'two sizes of one id',
      '{ type: id }',
      '  - { name: a, id: 1, fields: [{ name: x, type: u8 }], reply: { fields: [{ name: x, type: u32 }] } }\n',
      'Messages of id 1',
    ],
  ])('%s is refused', (_, framing, messages, words) => {
    const { problems } = loadMessages(yaml(framing, messages), 'messages.yaml');
    expect(problems.map(({ message }) => message).join()).toContain(words);
  });

  test('a payload of another length is refused', () => {
    const framing = { type: 'id', lengths: { 1: 3 } } as const;
    expect(() => makeFraming(framing).encode(bytesOf('01 02'))).toThrow('has 3 bytes');
    expect(() => makeFraming(framing).encode(bytesOf('02 02 03'))).toThrow('No length is declared');
  });
});

test.each<[string, FramingDeclaration, string]>([
  ['a mask with a hole', { type: 'length', length: 'u8', mask: 0b101 }, 'not next to each other'],
  ['a mask of digits', { type: 'length', length: 'dec2', mask: 3 }, 'only a binary length has bits'],
  ['a varint twice', { type: 'length', length: 'varint', again: 1 }, 'stands once'],
  [
    'a sync word that begins with any byte',
    { type: 'sync', sync: Int16Array.of(-1, 2), length: 'u8' },
    'first byte may be any',
  ],
  [
    'sync words of two lengths',
    { type: 'sync', sync: [bytesOf('aa'), bytesOf('aabb')], length: 'u8' },
    'not as long',
  ],
  [
    'a preamble of two bytes',
    { type: 'sync', sync: bytesOf('aa'), preamble: bytesOf('0102'), length: 'u8' },
    'its bytes differ',
  ],
  [
    'a preamble like the sync word',
    { type: 'sync', sync: bytesOf('aa'), preamble: bytesOf('aa'), length: 'u8' },
    'begins with the same byte',
  ],
  [
    'a number that is added to the length',
    { type: 'sync', sync: bytesOf('aa'), length: 'u16le', add: { byte: 1, from: 2 } },
    'add.from: 2 is not possible',
  ],
  [
    'a number that is added behind a varint',
    { type: 'sync', sync: bytesOf('aa'), length: 'varint', add: { byte: 1, from: 9 } },
    'beside `length`',
  ],
  [
    'nothing that is added',
    { type: 'sync', sync: bytesOf('aa'), length: 'u8', add: { byte: 256, from: 9 } },
    'add.byte: 256 is not possible',
  ],
  [
    'a trailer without a checksum behind',
    { type: 'delimiter', delimiter: CR, trailer: CR },
    'behind a checksum',
  ],
  [
    'hexadecimal digits with an escape',
    { type: 'delimiter', delimiter: CR, encoding: 'hex', escape: { byte: 1 } },
    'need none',
  ],
  [
    'two ends and a checksum behind',
    { type: 'delimiter', delimiter: [CR, bytesOf('0a')], checksum: { algorithm: 'xor-8', place: 'behind' } },
    'one only',
  ],
  [
    'a mark that is no mark',
    { type: 'delimiter', delimiter: CR, checksum: { algorithm: 'xor-8', includes: ['end'] } },
    'no such mark',
  ],
])('%s is refused', (_, framing, words) => {
  expect(() => makeFraming(framing)).toThrow(words);
});
