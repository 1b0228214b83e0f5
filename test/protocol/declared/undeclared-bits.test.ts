import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FieldDeclaration } from '../../../src/protocol/declared/declaration.ts';
import { complaints, decoded, encoded, protocolOf } from './declared-case.ts';

const named = [
  { name: 'fan', at: 0 },
  { name: 'mode', at: '4..6' },
];
const status = (type: string, bits: NonNullable<FieldDeclaration['bits']> = named) =>
  protocolOf([{ name: 'status', type, bits }]);

describe('bits without a name', () => {
  it.each([
    ['u8', '01', { fan: true, mode: 0 }],
    ['u8', '88', { fan: false, mode: 0, undeclared: 0x88 }],
    ['u16', '0151', { fan: true, mode: 5, undeclared: 0x100 }],
    ['u32le', '00000080', { fan: false, mode: 0, undeclared: 0x8000_0000 }],
    ['u48', 'f00000000001', { fan: true, mode: 0, undeclared: 0xf000_0000_0000 }],
    ['u64', '8000000000000001', { fan: true, mode: 0, undeclared: '9223372036854775808' }],
  ])('of %s %s come back', (type, hex, fields) => {
    const protocol = status(type);
    expect(decoded(protocol, hex).fields).toEqual({ status: fields });
    expect(encoded(protocol, { status: fields })).toBe(hex);
  });

  it('survive decode and encode, whatever they are', () => {
    const types = { u8: 1, u16le: 2, u24: 3, u32: 4, u48le: 6, u64: 8 };
    const sample = fc.constantFrom(...Object.entries(types)).chain(([type, size]) =>
      fc.record({
        type: fc.constant(type),
        bytes: fc.uint8Array({ minLength: size, maxLength: size }),
        at: fc.integer({ min: 0, max: 8 * size - 1 }),
      }),
    );
    fc.assert(
      fc.property(sample, ({ type, bytes, at }) => {
        const protocol = status(type, [{ name: 'one', at }]);
        const hex = Buffer.from(bytes).toString('hex');
        expect(encoded(protocol, decoded(protocol, hex).fields)).toBe(hex);
      }),
    );
  });

  it.each([
    [{ fan: true, mode: 0, undeclared: 1 }, 'status.undeclared: must be bits that have no name, of 0x8e'],
    [{ fan: true, mode: 0, undeclared: 0x100 }, 'must be bits that have no name'],
    [{ fan: true, mode: 0, undeclared: -2 }, 'must be bits that have no name'],
    [{ fan: true, mode: 0, undeclared: 1.5 }, 'must be bits that have no name'],
    [{ fan: true, mode: 0, undeclared: 'x' }, 'must be bits that have no name'],
  ])('are refused where they are none: %j', (value, said) => {
    expect(() => encoded(status('u8'), { status: value })).toThrow(said);
  });

  it('are none where every bit has a name', () => {
    const whole = status('u8', [{ name: 'all', at: '0..7' }]);
    expect(decoded(whole, 'ff').fields).toEqual({ status: { all: 255 } });
    expect(() => encoded(whole, { status: { all: 1, undeclared: 0 } })).toThrow('there is no such bit');
  });

  it('keep their name for themselves', () => {
    const field = { name: 'status', type: 'u8', bits: [{ name: 'undeclared', at: 1 }] };
    expect(complaints(field)).toEqual(['bits.0.name: Under this name stand the bits that have no name.']);
  });
});
