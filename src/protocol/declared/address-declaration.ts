import type { ByteOrder } from '../framing/byte-order.ts';
import type { KeyTable } from '../keys.ts';

/** Where the address of a device stands in all messages, and how. */
export const ADDRESS_KEYS = {
  type: {
    kind: 'word',
    what: 'a type',
    example: 'u8',
    required: true,
    description:
      'An unsigned number of 8 to 48 bits (`u8`, `u16le`), or `bcd` with two digits in each of `length` bytes.',
    examples: ['u8', 'u16', 'bcd'],
  },
  length: { kind: 'number', least: 1, greatest: 7, description: '`bcd`: how many bytes.' },
  at: {
    kind: 'number',
    least: 0,
    greatest: 0x1000_0000,
    description: 'Its offset in the payload, in bytes.',
    default: 0,
  },
  byte_order: {
    kind: 'byte order',
    description: "`bcd`: order of its bytes, where it is not the protocol's.",
  },
  broadcast: {
    kind: 'number',
    least: 0,
    greatest: 2 ** 48,
    description: 'The address that all devices hear, and none answers; no device has it.',
    examples: [0],
  },
} as const satisfies KeyTable;

export interface AddressDeclaration {
  readonly type: string;
  readonly length?: number | undefined;
  readonly at: number;
  readonly byteOrder?: ByteOrder | undefined;
  readonly broadcast?: number | undefined;
  /** The address of the one device whose messages these are; absent: that of any. */
  readonly value?: number | undefined;
}
