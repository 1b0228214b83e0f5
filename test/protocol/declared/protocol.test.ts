import { expect, test } from 'vitest';
import {
  DEFAULT_PROTOCOL,
  type FieldDeclaration,
  type MessageDeclaration,
  type ProtocolDeclaration,
} from '../../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import type { Expectation } from '../../../src/protocol/expectation.ts';
import { fromHex } from '../fixtures.ts';

const declaration: ProtocolDeclaration = {
  ...DEFAULT_PROTOCOL,
  enums: { mode: { 0: 'idle', 1: 'heating', 2: 'cooling', 128: 'fault' } },
  messages: [
    {
      name: 'telemetry',
      id: 0x10,
      from: 'device',
      fields: [
        { name: 'uptime', type: 'u32', unit: 's' },
        { name: 'temperature', type: 'i16', scale: 0.01, unit: '°C', invalid: 0x7fff },
        { name: 'mode', type: 'u8', enum: 'mode' },
        {
          name: 'status',
          type: 'u8',
          bits: [
            { name: 'door_open', at: 0 },
            { name: 'fan', at: '2..3' },
          ],
        },
        { name: 'channels', type: 'array', count: 'u8', of: { type: 'i16', scale: 0.1, unit: 'mA' } },
        { name: 'label', type: 'text', length: 'u8', encoding: 'utf8' },
      ],
    },
    {
      name: 'file_chunk',
      id: 0x20,
      reply: 'status',
      fields: [
        { name: 'transfer', type: 'u16' },
        { name: 'index', type: 'u32' },
        { name: 'total', type: 'u32' },
        { name: 'data', type: 'bytes', length: 'u16', max: 1024 },
        { name: 'crc', type: 'crc', algorithm: 'crc-32', covers: ['id', 'data'] },
      ],
    },
  ],
};
const protocol = new DeclaredProtocol(declaration);

test('the example of the language', () => {
  const payload = fromHex('10 00000e10 090a 01 09 02 0064 ffff 03 6b 65 79');
  const message = protocol.decode(payload);
  expect(message).toEqual({
    name: 'declared',
    message: 'telemetry',
    kind: 'notice',
    id: 16,
    fields: {
      uptime: 3600,
      temperature: 23.14,
      mode: 'heating',
      status: { door_open: true, fan: 2 },
      channels: [10, -0.1],
      label: 'key',
    },
    raw: { temperature: 2314, mode: 1, status: 9, channels: [100, -1] },
    issues: [],
  });
  if (message.name !== 'declared') throw new Error('not decoded');
  expect(protocol.encode('telemetry', message.fields)).toEqual(payload);
});

test('a checksum covers a field with the length in front of it; a length that it does not cover is a field', () => {
  const { id: _, error: __, ...plain } = DEFAULT_PROTOCOL;
  const made = (data: readonly FieldDeclaration[], covers: readonly string[]) =>
    new DeclaredProtocol({
      ...plain,
      messages: [
        {
          name: 'registers',
          from: 'device',
          reply: 'none',
          fields: [
            { name: 'address', type: 'u8' },
            { name: 'function', type: 'u8' },
            ...data,
            { name: 'crc', type: 'crc', algorithm: 'crc-16/modbus', byteOrder: 'little', covers },
          ],
        },
      ],
    });
  // A reply to a read of three registers: its CRC covers the count of bytes.
  const frame = fromHex('11 03 06 ae41 5652 4340 49ad');
  const measured = made([{ name: 'data', type: 'bytes', length: 'u8' }], ['address', 'function', 'data']);
  const counted = [
    { name: 'size', type: 'u8' },
    { name: 'data', type: 'bytes', length: { field: 'size' } },
  ] as const;
  const whole = made(counted, ['address', 'function', 'size', 'data']);
  const without = made(counted, ['address', 'function', 'data']);
  for (const each of [measured, whole]) expect(each.decode(frame)).toMatchObject({ message: 'registers' });
  expect(without.decode(frame)).toMatchObject({ name: 'invalid', reason: 'bad_checksum' });
});

test('without ids, an answer is rather the reply that is awaited than another that it may be', () => {
  const asked = (name: string): MessageDeclaration => ({
    name,
    from: 'host',
    reply: { fields: [{ name: 'text', type: 'text', length: 'rest' }] },
    fields: [{ name: 'query', type: 'text', value: `${name}?` }],
  });
  const { id: _, error: __, ...plain } = DEFAULT_PROTOCOL;
  const lines = new DeclaredProtocol({
    ...plain,
    messages: [
      { name: 'boot', from: 'device', fields: [{ name: 'text', type: 'text', value: 'READY' }] },
      asked('identity'),
      asked('voltage'),
      { name: 'beep', from: 'host' },
    ],
  });
  const text = new TextEncoder().encode('12.5');
  const expecting = (message: string): Expectation => ({
    awaited: [message],
    replies: [{ message, same: {} }],
    sent: [],
  });
  const meant = (awaited: string) => lines.decode(text, 0, text.length, 'device', expecting(awaited));
  expect(meant('voltage')).toMatchObject({ message: 'voltage', kind: 'reply', fields: { text: '12.5' } });
  expect(meant('identity')).toMatchObject({ message: 'identity', kind: 'reply' });
  // What it says by itself is no reply because one is awaited.
  const ready = new TextEncoder().encode('READY');
  expect(lines.decode(ready, 0, 5, 'device', expecting('voltage'))).toMatchObject({
    message: 'boot',
    kind: 'notice',
  });
  // Where nothing is expected that fits, it is none of those that do.
  for (const other of ['beep', 'toString']) {
    expect(meant(other)).toEqual({
      name: 'unknown',
      kind: 'unknown',
      answers: ['identity', 'voltage'],
      payload: text,
    });
  }
  expect(lines.decode(text, 0, text.length, 'device')).toMatchObject({ message: 'identity' });
});
