import { describe, expect, it, test } from 'vitest';
import { hexText } from '../../../src/protocol/describe.ts';
import { fromHex } from '../fixtures.ts';
import { bytesOfText, declaredIn, textOfBytes, wrongIn } from './declared-in-yaml.ts';

const protocolOf = (id: string, messages: string, more = ''): string =>
  `protocol: { framing: { type: slip }, id: ${id}${more} }\nmessages:\n${messages}`;

describe('an id that is text', () => {
  const nmea = declaredIn(
    protocolOf(
      '{ type: text, at: 2, length: 3 }',
      `  - { name: gga, id: GGA, separator: ",", fields: [{ name: talker, type: text, length: 2 }, { name: time, type: text }, { name: fix, type: text }] }
  - { name: rmc, id: RMC, separator: ",", fields: [{ name: talker, type: text, length: 2 }, { name: time, type: text }] }
`,
    ),
  );
  test.each<[string, string, Record<string, string>]>([
    ['GPGGA,123519,1', 'gga', { talker: 'GP', time: '123519', fix: '1' }],
    ['GNRMC,123519', 'rmc', { talker: 'GN', time: '123519' }],
  ])('%s', (text, message, fields) => {
    const bytes = bytesOfText(text);
    expect(nmea.decode(bytes)).toMatchObject({ name: 'declared', message, fields });
    expect(textOfBytes(nmea.encode(message, fields))).toBe(text);
    expect(nmea.check(bytes, 0, bytes.length)).toBeGreaterThanOrEqual(0);
    expect(nmea.inspect(bytes).message).toMatchObject({ message, fields });
  });

  it('refuses what has another one', () => {
    expect(nmea.decode(bytesOfText('GPVTG,1,2'))).toMatchObject({ name: 'invalid' });
  });

  const modem = declaredIn(
    protocolOf(
      '{ type: text, until: ": " }',
      `  - { name: signal, id: "+CSQ", separator: ",", fields: [{ name: rssi, type: text }, { name: errors, type: text }] }
  - { name: ok, id: OK }
  - { name: memo, id: "+NOTE", fields: [{ name: text, type: text, length: rest }] }
`,
    ),
  );
  test.each<[string, string, Record<string, string>]>([
    ['+CSQ: 23,99', 'signal', { rssi: '23', errors: '99' }],
    ['OK', 'ok', {}],
    ['+NOTE: a, b', 'memo', { text: 'a, b' }],
  ])('%s', (text, message, fields) => {
    expect(modem.decode(bytesOfText(text))).toMatchObject({ message, fields });
    expect(textOfBytes(modem.encode(message, fields))).toBe(text);
  });
});

test.each<[string, string, Record<string, unknown>]>([
  ['31 05', 'a', { head: { flags: 1 }, x: 5 }],
  ['42 05', 'b', { head: { flags: 2 }, y: 5 }],
])('an id of four bits: %s', (hex, message, fields) => {
  const nibbles = declaredIn(
    protocolOf(
      '{ type: u8, bits: 4..7 }',
      `  - { name: a, id: 3, fields: [{ name: head, type: u8, bits: [{ name: flags, at: 0..3 }] }, { name: x, type: u8 }] }
  - { name: b, id: 4, fields: [{ name: head, type: u8, bits: [{ name: flags, at: 0..3 }] }, { name: y, type: u8 }] }
`,
    ),
  );
  expect(nibbles.decode(fromHex(hex))).toMatchObject({ name: 'declared', message, fields });
  expect(hexText(nibbles.encode(message, fields as never))).toBe(hex.replaceAll(' ', ''));
  expect(nibbles.decode(fromHex('5105'))).toMatchObject({ name: 'invalid' });
});

test.each<[string, string, Record<string, number>]>([
  ['01 2b 0e 07', 'identify', { slave: 1, code: 7 }],
  ['01 2b 0007', 'other', { slave: 1, value: 7 }],
])('an id at two places: %s', (hex, message, fields) => {
  const two = declaredIn(
    protocolOf(
      '[{ type: u8, at: 1 }, { type: u8, at: 2 }]',
      `  - { name: identify, id: [0x2b, 0x0e], fields: [{ name: slave, type: u8 }, { name: code, type: u8 }] }
  - { name: other, id: 0x2b, fields: [{ name: slave, type: u8 }, { name: value, type: u16 }] }
`,
    ),
  );
  expect(two.decode(fromHex(hex))).toMatchObject({ name: 'declared', message, fields });
  expect(hexText(two.encode(message, fields))).toBe(hex.replaceAll(' ', ''));
});

describe('zeros that a sender has cut off', () => {
  const mavlink = (zeroTail: string) =>
    declaredIn(
      protocolOf(
        '{ type: u24, at: 2 }',
        '  - { name: m, id: 5, from: device, fields: [{ name: seq, type: u8 }, { name: system, type: u8 }, { name: a, type: u32 }, { name: b, type: u16 }] }\n',
        `, byte_order: little, zero_tail: ${zeroTail}`,
      ),
    );
  test.each<[string, number, number]>([
    ['01 02 050000 01', 1, 0],
    ['01 02 050000 00', 0, 0],
    ['01 02 050000 01000000 02', 1, 2],
    ['01 02 050000 01000000 0202', 1, 0x0202],
  ])('%s', (hex, a, b) => {
    const fields = { seq: 1, system: 2, a, b };
    expect(mavlink('drop').decode(fromHex(hex))).toMatchObject({ name: 'declared', fields });
    expect(mavlink('drop').check(fromHex(hex), 0, fromHex(hex).length)).toBeGreaterThanOrEqual(0);
    expect(hexText(mavlink('drop').encode('m', fields))).toBe(hex.replaceAll(' ', ''));
    expect(mavlink('read').encode('m', fields)).toHaveLength(11);
  });
  it('keeps the head', () => {
    expect(mavlink('read').decode(fromHex('0102'))).toMatchObject({ name: 'invalid' });
  });
});

test.each<[string, string, string]>([
  [
    'a text without its length',
    protocolOf('{ type: text }', '  - { name: m, id: A }\n'),
    'protocol.id config_bad_value',
  ],
  [
    'a number for a text',
    protocolOf('{ type: text, length: 1 }', '  - { name: m, id: 1 }\n'),
    'messages[0].id config_bad_value',
  ],
  ['a text for a number', protocolOf('u8', '  - { name: m, id: A }\n'), 'messages[0].id config_bad_value'],
  [
    'one id twice',
    protocolOf('{ type: text, length: 1 }', '  - { name: m, id: A }\n  - { name: n, id: A }\n'),
    'messages[1].id config_duplicate_id',
  ],
  [
    'bits that are not there',
    protocolOf('{ type: u8, bits: 6..9 }', '  - { name: m, id: 1, fields: [{ name: a, type: u8 }] }\n'),
    'protocol.id config_bad_value',
  ],
])('%s is refused', (_, yaml, problem) => {
  expect(wrongIn(yaml)).toContain(problem);
});
