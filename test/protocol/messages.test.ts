import { describe, expect, test } from 'vitest';
import { builtinMessages, builtinProtocol } from '../../src/protocol/builtin.ts';
import { decodePayload, encodeFrame } from '../../src/protocol/codec.ts';
import { lengthsInWords, ProtocolDefinition } from '../../src/protocol/definition.ts';
import { hexText } from '../../src/protocol/describe.ts';
import type { Message } from '../../src/protocol/message.ts';
import { luhnValid } from '../../src/protocol/text-checks.ts';
import { fromHex, invalidFixtures, messageFixtures } from './fixtures.ts';

const definition = builtinProtocol();
const APPID = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const IMEI = '490154203237518';

function decode(hex: string, protocol = definition) {
  return decodePayload(protocol, fromHex(hex), 4);
}

test.each(messageFixtures)('$name: these bytes, this message', ({ hex, message }) => {
  expect(decode(hex)).toEqual(message);
  expect(hexText(encodeFrame(message))).toBe(hex.replaceAll(' ', ''));
});

test.each(invalidFixtures)('$name is invalid', ({ hex, invalid }) => {
  const decoded = decode(hex);
  expect(decoded).toMatchObject({ name: 'invalid', ...invalid });
  expect(decoded).toHaveProperty('expected', expect.stringMatching(/.../));
  expect(decoded).toHaveProperty('seen', expect.stringMatching(/.+/));
});

test.each(invalidFixtures)('$name is not plausible to a decoder that hunts', ({ hex }) => {
  const bytes = fromHex(hex);
  const shape = definition.shape(bytes[4] ?? 0, bytes.length - 4);
  expect(shape?.check(bytes, 4, bytes.length)).toBeLessThan(0);
});

test('what a check says it touched is never more than the payload', () => {
  for (const { hex } of [...messageFixtures, ...invalidFixtures]) {
    const bytes = fromHex(hex);
    const touched =
      definition.shape(bytes[4] ?? 0, bytes.length - 4)?.check(bytes, 4, bytes.length) ?? Number.NaN;
    expect(touched < 0 ? ~touched : touched).toBeLessThanOrEqual(bytes.length - 4);
  }
});

describe('identity: any', () => {
  const any = builtinProtocol({ identity: 'any' });
  const other: Message = {
    name: 'register',
    kind: 'request',
    fields: { appid: 'pump house 7, second floor, left side', imei: 'SN-0042/B      ' },
  };

  test('admits other printable text of the same length', () => {
    const message = { ...other, fields: { ...other.fields, appid: other.fields.appid.slice(0, 36) } };
    const frame = encodeFrame(message);
    expect(decodePayload(any, frame, 4)).toEqual(message);
    expect(decodePayload(definition, frame, 4)).toMatchObject({ name: 'invalid', field: 'appid' });
  });

  test('admits no bytes that are no text', () => {
    const frame = encodeFrame({
      name: 'register',
      kind: 'request',
      fields: { appid: APPID, imei: IMEI },
    }).slice();
    frame[50] = 0;
    expect(decodePayload(any, frame, 4)).toMatchObject({ name: 'invalid', field: 'imei', offset: 37 });
  });
});

describe('encoding refuses what no frame can carry', () => {
  const register = (appid: string, imei: string): Message => ({
    name: 'register',
    kind: 'request',
    fields: { appid, imei },
  });
  const datetime = (error: number, text?: string): Message => ({
    name: 'datetime',
    kind: 'reply',
    error,
    fields: text === undefined ? {} : { datetime: text },
  });
  test.each<readonly [string, Message]>([
    ['a short appid', register(APPID.slice(1), IMEI)],
    ['a long imei', register(APPID, `${IMEI}0`)],
    ['characters beyond ASCII', register(APPID, `${IMEI.slice(1)}٣`)],
    ['an error code of 128', { name: 'heartbeat', kind: 'reply', error: 128 }],
    ['an error code of 0.5', { name: 'register', kind: 'reply', error: 0.5 }],
    ['success without a datetime', datetime(0)],
    ['an error with a datetime', datetime(-1, '2026-11-21 00:07:36')],
    ['a day that does not exist', datetime(0, '2026-02-30 00:00:00')],
    ['digits that are cut to ASCII', datetime(0, '202\u0136-11-21 00:07:36')],
    [
      'an unknown message without its id',
      { name: 'unknown', kind: 'unknown', id: 16, payload: Uint8Array.of(17) },
    ],
  ])('%s', (_, message) => {
    expect(() => encodeFrame(message)).toThrow(expect.objectContaining({ code: 'bad_argument' }));
  });
});

test('an unknown payload is a copy, also out of a Buffer', () => {
  const bytes = Buffer.from('0000000310abcd', 'hex');
  const message = decodePayload(definition, bytes, 4);
  bytes.fill(0);
  expect(message).toEqual({ name: 'unknown', kind: 'unknown', id: 16, payload: fromHex('10abcd') });
  expect(message.name === 'unknown' && hexText(encodeFrame(message))).toBe('0000000310abcd');
});

test('a payload of a length that its id cannot have is invalid', () => {
  expect(decode('00000003 01 0000')).toEqual({
    name: 'invalid',
    kind: 'request',
    message: 'heartbeat',
    field: 'length',
    offset: 0,
    expected: '1 or 2 bytes',
    seen: '3 bytes: 010000',
  });
});

test('no payload at all is misuse', () => {
  expect(() => decodePayload(definition, new Uint8Array(4), 4)).toThrow(
    expect.objectContaining({ code: 'bad_argument' }),
  );
});

describe('a definition', () => {
  test('says lengths in words', () => {
    expect(builtinMessages().map(lengthsInWords)).toEqual([
      '2 or 52 bytes',
      '1 or 2 bytes',
      '1, 2 or 21 bytes',
    ]);
  });

  test('admits and declares by id and length', () => {
    expect([definition.admits(0, 52), definition.admits(0, 51), definition.admits(0, 300)]).toEqual([
      true,
      false,
      false,
    ]);
    expect([definition.admits(0xf0, 1), definition.declares(0xf0, 1, 0)]).toEqual([true, false]);
    expect([0x39, 0x2f, 0x3a, 0].map((last) => definition.declares(0, 52, last))).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('refuses two messages with one id, signed or not, and a frame bound that is none', () => {
    const [first] = builtinMessages();
    if (first === undefined) throw new Error('no messages');
    const twice = [
      { ...first, id: -16 },
      { ...first, id: 0xf0 },
    ];
    expect(() => new ProtocolDefinition(twice)).toThrow(expect.objectContaining({ code: 'bad_argument' }));
    expect(() => builtinProtocol({ maxFrame: 0 })).toThrow(expect.objectContaining({ code: 'bad_argument' }));
  });
});

test.each([
  ['490154203237518', true],
  ['490154203237519', false],
  ['869858030720693', true],
  ['49015420323751x', false],
  ['', false],
])('the Luhn digit of %j: %s', (imei, valid) => {
  expect(luhnValid(imei)).toBe(valid);
});
