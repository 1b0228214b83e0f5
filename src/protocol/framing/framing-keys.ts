import type { Declared, Key, KeyTable } from '../keys.ts';

/**
 * How a length stands on the wire: unsigned, `be` the most significant byte first; `varint` seven bits a byte, the least
 * significant ones first (LEB128); `dec4` four decimal digits as text, `hex4` four hexadecimal ones.
 */
export const LENGTH_TYPES = [
  'u8',
  'u16be',
  'u16le',
  'u24be',
  'u24le',
  'u32be',
  'u32le',
  'varint',
  ...(['dec1', 'dec2', 'dec3', 'dec4', 'dec5', 'dec6'] as const),
  ...(['hex1', 'hex2', 'hex3', 'hex4', 'hex6', 'hex8'] as const),
] as const;
export type LengthType = (typeof LENGTH_TYPES)[number];

/** The greatest bound of a payload that can be asked for, in bytes. */
export const GREATEST_MAX_PAYLOAD = 0x1000_0000;

/** Bound of one payload on a stream whose frames say how long they are, in bytes. */
export const DEFAULT_MAX_FRAME = 1_048_576;

export const CHECKSUM_KEYS = {
  algorithm: {
    kind: 'checksum',
    required: true,
    description:
      'A name of the CRC catalogue, one of the simple sums (see the table of checksums), or the parameters of a CRC: `width`, `poly`, `init`, `refin`, `refout`, `xorout`. `name` with `init` or `xorout` changes the checksum of that name.',
    examples: [
      'crc-16/modbus',
      'crc-32',
      'fletcher-8-ubx',
      { width: 16, poly: 0x1021, init: 0xffff },
      { name: 'sum-8', xorout: 0x55 },
    ],
  },
  order: {
    kind: 'byte order',
    description:
      'Order of its bytes, `big` with the most significant one first; `byte_order` where it is left out.',
  },
  encoding: {
    kind: 'choice',
    values: ['binary', 'hex'],
    description: '`hex` for two ASCII digits a byte.',
    default: 'binary',
  },
  separator: {
    kind: 'bytes',
    description: 'Bytes between the payload and the checksum that belong to neither, such as "*".',
  },
  extra: {
    kind: 'bytes',
    description: 'Bytes that it covers behind all others, though they do not stand there on the wire.',
  },
  extra_by_id: {
    kind: 'numbers',
    least: 0,
    greatest: 255,
    description:
      'A byte that it covers behind all others, by the id of the message (MAVLink: CRC_EXTRA); `crc_extra` of a message says the same.',
    examples: [{ 0: 50, 30: 39 }],
  },
} as const satisfies KeyTable;

/** Offsets from the first byte of the frame; at least one byte is covered. */
const COVERED_KEYS = {
  from: {
    kind: 'number',
    least: 0,
    greatest: 1024,
    required: true,
    description: 'The first byte, counted from the front of the frame.',
  },
  to: {
    kind: 'number',
    least: -1024,
    greatest: 1024,
    description:
      'The byte behind the last one; negative to count back from the checksum, up to which it goes where this is left out.',
  },
} as const satisfies KeyTable;

const FRAME_CHECKSUM_KEYS = {
  ...CHECKSUM_KEYS,
  covers: {
    kind: 'groups',
    keys: COVERED_KEYS,
    description: 'What it covers; all between the sync word and the checksum where it is left out.',
  },
} as const satisfies KeyTable;

/** A checksum behind the payload. */
export type ChecksumDeclaration = Declared<typeof CHECKSUM_KEYS>;

/** A checksum in a frame with a layout: it can cover parts of the frame, in the order in which they are given. */
export type FrameChecksumDeclaration = Declared<typeof FRAME_CHECKSUM_KEYS>;

/** Bytes that a checksum covers. */
export type CoveredRange = Declared<typeof COVERED_KEYS>;

export const checksum = {
  kind: 'group',
  keys: CHECKSUM_KEYS,
  description: 'A checksum behind the payload, and over all of it.',
} as const satisfies Key;

/** Keys behind the payload of a frame with a layout. */
export const TAIL_KEYS = {
  checksum: { kind: 'group', keys: FRAME_CHECKSUM_KEYS, description: 'A checksum behind the payload.' },
  trailer: { kind: 'bytes', description: 'Bytes that end every frame, behind the checksum.' },
} as const satisfies KeyTable;

export const LENGTH_KEYS = {
  length: {
    kind: 'length type',
    values: LENGTH_TYPES,
    required: true,
    description:
      'Width of the length and, with `be` or `le`, its byte order (`byte_order` where that is left out); `varint`; or digits as text: `dec4`, `hex2`.',
  },
  unit: {
    kind: 'number',
    least: 1,
    greatest: 1024,
    description: 'So many bytes are counted as one: 2 for a length in words.',
    default: 1,
  },
  mask: {
    kind: 'number',
    least: 1,
    greatest: 0xffff_ffff,
    description:
      'The bits of the number that are the length: 0x03ff for the lowest ten. The others are content.',
  },
  again: {
    kind: 'number',
    least: 0,
    greatest: 1020,
    description: 'Where the same length stands once more, counted from the front of the frame (M-Bus).',
  },
  at: {
    kind: 'number',
    least: 0,
    greatest: 1020,
    description:
      'Where the length stands, counted from the front of the frame; at the front, or behind the sync word, where it is left out.',
  },
  adjust: {
    kind: 'number',
    least: -1024,
    greatest: 1024,
    description: 'Added to the length to get the bytes between it and the checksum.',
    default: 0,
  },
} as const satisfies KeyTable;

export const first = {
  kind: 'choice',
  values: ['skip', 'take'],
  description:
    'What arrives first after the link was opened may be half a frame. `skip` sets it aside, `take` trusts it. Left out, on a serial line without a checksum it is `skip`, unless a reply is awaited by then: what comes first after we have asked is taken.',
} as const satisfies Key;

export const sync = {
  kind: 'sync words',
  description:
    'Bytes that begin every frame and belong to nothing, or a list of several such words as long as each other. `any` stands for whatever byte is there: from the first of them that is no length on, all is payload.',
} as const satisfies Key;

export const preamble = {
  kind: 'bytes',
  description:
    'A byte, once or repeated, that is sent in front of every frame, and passed over there when it is received, however often it stands there.',
} as const satisfies Key;

export const add = {
  kind: 'group',
  keys: {
    byte: {
      kind: 'number',
      least: 1,
      greatest: 255,
      required: true,
      description: 'Added to each of them, modulo 256, when a frame is sent; taken off when one is received.',
    },
    from: {
      kind: 'number',
      least: 0,
      greatest: 1024,
      required: true,
      description: 'The first of them, counted from the front of the frame; they go up to the checksum.',
    },
  },
  description:
    'Bytes of the payload are sent with a number added (DL/T 645: 0x33). The checksum covers what is sent.',
} as const satisfies Key;

/** What is added to bytes of the payload on the wire, and from which byte of the frame on. */
export interface AddedBytes {
  readonly byte: number;
  readonly from: number;
}

export const maxFrame = (preset: number) =>
  ({
    kind: 'number',
    least: 1,
    greatest: GREATEST_MAX_PAYLOAD,
    description: 'The longest payload, in bytes.',
    default: preset,
  }) as const satisfies Key;

/** Where the id of a message stands in the payload: `protocol.id`, for what depends on it. */
export interface FramingId {
  readonly at: number;
  readonly bytes: number;
  readonly order: 'big' | 'little';
}

/** What a declaration of this type says, by its keys. */
export type FramingOf<T extends string, K extends KeyTable> = {
  readonly type: T;
  readonly id?: FramingId | undefined;
} & Declared<K>;
