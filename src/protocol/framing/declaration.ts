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

/** Bounds of a payload where a declaration gives none, in bytes. */
export const DEFAULT_MAX_PAYLOAD = {
  length: 1_048_576,
  sync: 65_536,
  slip: 65_536,
  cobs: 65_536,
  delimiter: 65_536,
  id: 4096,
  gap: 4096,
} as const;

const CHECKSUM_KEYS = {
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

const DELIMITED_CHECKSUM_KEYS = {
  ...CHECKSUM_KEYS,
  place: {
    kind: 'choice',
    values: ['inside', 'behind'],
    description: 'Whether it stands in front of the delimiter or behind it (STX text ETX BCC).',
    default: 'inside',
  },
  includes: {
    kind: 'words',
    of: {
      kind: 'word',
      what: 'start or delimiter',
      example: 'delimiter',
      description: '`start` or `delimiter`.',
      examples: ['delimiter'],
    },
    description: 'Marks that it covers beside the payload: `start`, `delimiter`.',
  },
} as const satisfies KeyTable;

/** A checksum behind the payload. */
export type ChecksumDeclaration = Declared<typeof CHECKSUM_KEYS>;

/** A checksum in a frame with a layout: it can cover parts of the frame, in the order in which they are given. */
export type FrameChecksumDeclaration = Declared<typeof FRAME_CHECKSUM_KEYS>;

/** Bytes that a checksum covers. */
export type CoveredRange = Declared<typeof COVERED_KEYS>;

const checksum = {
  kind: 'group',
  keys: CHECKSUM_KEYS,
  description: 'A checksum behind the payload, and over all of it.',
} as const satisfies Key;

/** Keys behind the payload of a frame with a layout. */
const TAIL_KEYS = {
  checksum: { kind: 'group', keys: FRAME_CHECKSUM_KEYS, description: 'A checksum behind the payload.' },
  trailer: { kind: 'bytes', description: 'Bytes that end every frame, behind the checksum.' },
} as const satisfies KeyTable;

const LENGTH_KEYS = {
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

const first = {
  kind: 'choice',
  values: ['skip', 'take'],
  description:
    'What arrives first after the link was opened may be half a frame. `skip` sets it aside, `take` trusts it. Left out, on a serial line without a checksum it is `skip`, unless a reply is awaited by then: what comes first after we have asked is taken.',
} as const satisfies Key;

const sync = {
  kind: 'sync words',
  description:
    'Bytes that begin every frame and belong to nothing, or a list of several such words as long as each other. `any` stands for whatever byte is there: from the first of them that is no length on, all is payload.',
} as const satisfies Key;

const preamble = {
  kind: 'bytes',
  description:
    'A byte, once or repeated, that is sent in front of every frame, and passed over there when it is received, however often it stands there.',
} as const satisfies Key;

const add = {
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

const maxFrame = (preset: number) =>
  ({
    kind: 'number',
    least: 1,
    greatest: GREATEST_MAX_PAYLOAD,
    description: 'The longest payload, in bytes.',
    default: preset,
  }) as const satisfies Key;

/** The keys of `protocol.framing` in `messages.yaml`, beside `type`, by the type of the framing. */
export const FRAMING_KEYS = {
  /**
   * A length leads the frame. The payload is everything up to the checksum; a length right at the front is not part of
   * it, a length further behind is.
   */
  length: { ...LENGTH_KEYS, ...TAIL_KEYS, max_frame: maxFrame(DEFAULT_MAX_PAYLOAD.length) },
  /** A sync word leads the frame and belongs to nothing; then as with `length`. */
  sync: {
    sync: { ...sync, required: true },
    preamble,
    ...LENGTH_KEYS,
    add,
    ...TAIL_KEYS,
    max_frame: maxFrame(DEFAULT_MAX_PAYLOAD.sync),
  },
  /** RFC 1055. */
  slip: { checksum, first, max_frame: maxFrame(DEFAULT_MAX_PAYLOAD.slip) },
  /** Consistent overhead byte stuffing: a zero byte ends every frame. */
  cobs: { checksum, first, max_frame: maxFrame(DEFAULT_MAX_PAYLOAD.cobs) },
  /** Some bytes end every frame; empty frames are passed over. */
  delimiter: {
    delimiter: {
      kind: 'byte words',
      required: true,
      description:
        'Bytes that end every frame; of a list of several words any ends one, and the first of them is sent.',
    },
    start: {
      kind: 'bytes',
      description:
        'Bytes that begin every frame and belong to nothing; the same as `delimiter` for a flag, which does both.',
    },
    escape: {
      kind: 'group',
      keys: {
        byte: {
          kind: 'number',
          least: 0,
          greatest: 255,
          required: true,
          description: 'The byte behind this one is content, whatever it is.',
        },
        xor: {
          kind: 'number',
          least: 0,
          greatest: 255,
          description: 'That byte is sent with these bits turned.',
          default: 0,
        },
      },
      description:
        'How a delimiter is sent that belongs to the payload. Without `xor`, and where the delimiter begins with this byte, it is doubled (DLE).',
    },
    encoding: {
      kind: 'choice',
      values: ['raw', 'hex', 'nibble_hex'],
      description:
        'How payload and checksum stand between the marks: as they are, or in two hexadecimal digits a byte (Modbus ASCII); with `nibble_hex` the first byte is one digit (VE.Direct HEX).',
      default: 'raw',
    },
    prompt: {
      kind: 'bytes',
      description:
        'What a shell sends when it is ready for the next command, at the front of a line: no frame.',
    },
    preamble,
    checksum: {
      kind: 'group',
      keys: DELIMITED_CHECKSUM_KEYS,
      description: 'A checksum behind the payload, and over all of it.',
    },
    trailer: {
      kind: 'bytes',
      description: 'Bytes behind a checksum that stands behind the delimiter.',
    },
    send: {
      kind: 'group',
      keys: {
        delimiter: { kind: 'bytes', description: 'Ends what we send.' },
        start: { kind: 'bytes', description: 'Begins what we send.' },
      },
      description: 'What we send is marked by other bytes than what the device sends.',
    },
    first,
    max_frame: maxFrame(DEFAULT_MAX_PAYLOAD.delimiter),
  },
  /** Every frame has the same number of bytes. The payload stands between the sync word and the checksum. */
  fixed: {
    length: {
      kind: 'number',
      least: 1,
      greatest: 65_536,
      required: true,
      description: 'Bytes of the whole frame, with sync word, checksum and trailer.',
    },
    sync,
    preamble,
    ...TAIL_KEYS,
  },
  /** The id of a message says how long its frame is. */
  id: {
    lengths: {
      kind: 'numbers',
      least: 1,
      greatest: 65_536,
      description:
        'Bytes of the payload by the id of the message; left out, they are those of the declared messages, which have each a fixed size.',
      examples: [{ 1: 8, 2: 3 }],
    },
    sync,
    preamble,
    ...TAIL_KEYS,
    max_frame: maxFrame(DEFAULT_MAX_PAYLOAD.id),
  },
  /** What arrives between two silences is a frame. */
  gap: { checksum, max_frame: maxFrame(DEFAULT_MAX_PAYLOAD.gap) },
} as const satisfies Readonly<Record<string, KeyTable>>;

export type FramingType = keyof typeof FRAMING_KEYS;

// The keys of an object literal are its own.
export const FRAMING_TYPES = Object.keys(FRAMING_KEYS) as readonly FramingType[];

type Framing<T extends FramingType> = {
  readonly type: T;
  readonly id?: FramingId | undefined;
} & Declared<(typeof FRAMING_KEYS)[T]>;

export type LengthFraming = Framing<'length'>;
export type SyncFraming = Framing<'sync'>;
export type FixedFraming = Framing<'fixed'>;
export type SlipFraming = Framing<'slip'>;
export type CobsFraming = Framing<'cobs'>;
export type DelimiterFraming = Framing<'delimiter'>;
export type IdFraming = Framing<'id'>;
export type GapFraming = Framing<'gap'>;

/** Where the id of a message stands in the payload: `protocol.id`, for what depends on it. */
export interface FramingId {
  readonly at: number;
  readonly bytes: number;
  readonly order: 'big' | 'little';
}

/** One of several framings on a line. */
export interface FramingKind {
  readonly name: string;
  readonly framing: SingleFraming;
  /** Where the id of its messages stands, and the type of the error code in its replies; absent: they have none. */
  readonly id?: { readonly type: string; readonly at: number } | undefined;
  readonly error?: string | undefined;
  /** Frames of other kinds may stand within a line of this one, which goes on behind them. */
  readonly resumes?: boolean | undefined;
}

/** Frames of several kinds on one line: `protocol.framings`. A message names its own. */
export interface SeveralFramings {
  readonly type: 'several';
  readonly kinds: readonly FramingKind[];
  readonly checksum?: undefined;
  readonly id?: undefined;
}

export type SingleFraming = { [T in FramingType]: Framing<T> }[FramingType];

/** How frames are told apart: what `protocol.framing` or `framings` of `messages.yaml` says, with bytes as bytes. */
export type FramingDeclaration = SingleFraming | SeveralFramings;

/** The side of a link that reads and writes. */
export type Side = 'host' | 'device';
