import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import type { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';

function protocolOf(text: string): DeclaredProtocol {
  const { protocol, problems } = loadMessages(text, 'messages.yaml');
  if (protocol === undefined) throw new Error(JSON.stringify(problems));
  return protocol;
}

const problemsOf = (text: string) =>
  loadMessages(text, 'messages.yaml').problems.map(({ line, code }) => `${line} ${code}`);

const MODBUS = `
protocol:
  framing: { type: gap }
  address: { type: u8, at: 0, broadcast: 0 }
messages:
  - name: read
    from: host
    fields: [{ name: c1, type: u8, value: 4 }, { name: start, type: u16 }, { name: count, type: u16 }, { name: c2, type: crc, algorithm: crc-16/modbus, byte_order: little }]
    reply:
      fields: [{ name: c3, type: u8, value: 4 }, { name: size, type: u8 }, { name: registers, type: array, count: { field: size }, max: 250, of: { type: u8 } }, { name: c4, type: crc, algorithm: crc-16/modbus, byte_order: little }]
`;

const METER = `
protocol:
  byte_order: little
  framing: { type: gap }
  id: { type: u8, at: 8 }
  address: { type: bcd, length: 6, at: 1, broadcast: 999999999999 }
messages:
  - name: read
    id: 0x11
    from: host
    fields: [{ name: c5, type: u8, value: 0x68 }, { name: c6, type: u8, value: 0x68 }, { name: data, type: bytes, length: u8 }, { name: c7, type: crc, algorithm: sum-8 }]
`;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

describe('the address in messages', () => {
  it('is written when we send, in front of the fields', () => {
    const payload = protocolOf(MODBUS).at(17).encode('read', { start: 0x6b, count: 3 });
    expect(hex(payload)).toMatch(/^1104006b0003[0-9a-f]{4}$/);
  });

  it('is two digits in a byte, with fields in front of it and an id behind', () => {
    const payload = protocolOf(METER).at(123456).encode('read', { data: '0x33' });
    expect(hex(payload)).toMatch(/^68563412000000681101 ?33[0-9a-f]{2}$/);
    const message = protocolOf(METER).decode(payload);
    expect(message).toMatchObject({ name: 'declared', message: 'read', id: 0x11, address: 123456 });
  });

  it('is compared when we receive: another device is none of this one', () => {
    const protocol = protocolOf(MODBUS);
    const reply = bytes('02 04 02 00 0a 7d 37');
    const crc = protocol.at(2).encodeReply('read', 0, { size: 2, registers: [0, 10] });
    expect(hex(crc)).toBe(hex(reply));
    expect(protocol.decode(reply, 0, reply.length, 'device')).toMatchObject({ address: 2, kind: 'reply' });
    expect(protocol.at(2).decode(reply, 0, reply.length, 'device')).toMatchObject({ message: 'read' });
    expect(protocol.at(3).decode(reply, 0, reply.length, 'device')).toMatchObject({
      name: 'invalid',
      field: '$address',
      expected: 'the address 3',
      seen: '2',
    });
    expect(protocol.at(3).check(reply, 0, reply.length, 'device')).toBeLessThan(0);
  });

  it('comes back from every payload, cut anywhere without an exception', () => {
    const protocol = protocolOf(METER);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999_999_998 }), fc.nat(24), (address, cut) => {
        const payload = protocol.at(address).encode('read', { data: '0x010203' });
        expect(protocol.addressIn(payload, 0, payload.length)).toBe(address);
        expect(protocol.decode(payload)).toMatchObject({ address });
        const short = payload.subarray(0, Math.min(cut, payload.length - 1));
        expect(protocol.decode(short).name).toBe('invalid');
      }),
    );
  });

  it('is none where a half byte is above 9', () => {
    const protocol = protocolOf(METER);
    const payload = protocol.at(1).encode('read', { data: '0x' });
    payload[1] = 0xaa;
    expect(protocol.addressIn(payload, 0, payload.length)).toBeUndefined();
    expect(protocol.decode(payload)).toMatchObject({ name: 'invalid', reason: 'bad_constant' });
  });

  it('must be given to be written', () => {
    expect(() => protocolOf(MODBUS).encode('read', { start: 0, count: 1 })).toThrow(/address/);
  });

  it.each([
    ['{ type: f32 }', '4 config_bad_value'],
    ['{ type: bcd }', '4 config_missing_key'],
    ['{ type: u8, at: 70000 }', '4 config_bad_value'],
    ['{ type: u8, broadcast: 256 }', '4 config_bad_value'],
    ['{ type: u8, at: 3 }', '5 config_conflict'],
    ['{ at: 0 }', '4 config_missing_key'],
  ])('refuses %s', (address, problem) => {
    const text = `protocol:\n  byte_order: big\n  framing: { type: gap }\n  address: ${address}\nmessages: [{ name: a, from: host, fields: [{ name: x, type: u16 }, { name: y, type: u16 }] }]\n`;
    expect(problemsOf(text)).toContain(problem);
  });

  it('does not stand where the id stands', () => {
    const text = `protocol:\n  framing: { type: gap }\n  id: u8\n  address: { type: u8 }\nmessages: [{ name: a, id: 1, from: host }]\n`;
    expect(problemsOf(text)).toEqual(['4 config_conflict']);
  });
});
