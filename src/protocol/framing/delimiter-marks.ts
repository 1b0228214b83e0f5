import type { KeyTable } from '../keys.ts';
import { startsWith } from './find-bytes.ts';
import { CHECKSUM_KEYS, type FramingOf, first, maxFrame, preamble } from './framing-keys.ts';
import { NO_BYTES } from './layout.ts';

/** The longest payload in bytes, where a declaration says none. */
export const MAX_PAYLOAD = 65_536;

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

export const DELIMITER_KEYS = {
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
  max_frame: maxFrame(MAX_PAYLOAD),
} as const satisfies KeyTable;

export type DelimiterFraming = FramingOf<'delimiter', typeof DELIMITER_KEYS>;

/** The words that end a frame; what is sent first. */
export function delimitersOf({ delimiter }: DelimiterFraming): readonly Uint8Array[] {
  return delimiter instanceof Uint8Array ? [delimiter] : delimiter;
}

/** Whether the escape begins the delimiter, so that content has two of it (DLE STX ... DLE ETX). */
export function doublesEscape(declaration: DelimiterFraming): boolean {
  const { byte, xor = 0 } = declaration.escape ?? {};
  const [delimiter] = delimitersOf(declaration);
  return byte !== undefined && xor === 0 && delimiter?.[0] === byte;
}

/** The flag of HDLC-like framing (RFC 1662), and the byte that escapes it. */
const HDLC_FLAG = 0x7e;
const HDLC_ESCAPE = 0x7d;

/**
 * Whether the delimiter is a flag: it opens frames as well as it ends them, and one between two frames may do for both.
 * A receiver of HDLC passes over the empty frame that one flag too many makes.
 */
export function isFlag(declaration: DelimiterFraming): boolean {
  const { start, escape: escaping } = declaration;
  const [delimiter = NO_BYTES] = delimitersOf(declaration);
  if (start === undefined) {
    const { byte, xor = 0 } = escaping ?? {};
    return delimiter.length === 1 && delimiter[0] === HDLC_FLAG && byte === HDLC_ESCAPE && xor !== 0;
  }
  return start.length === delimiter.length && startsWith(start, 0, start.length, delimiter);
}

/** What must stand in front of a payload to be read. A flag need not: it may be that of the frame before. */
export function startWord(declaration: DelimiterFraming): Uint8Array {
  return isFlag(declaration) ? NO_BYTES : (declaration.start ?? NO_BYTES);
}
