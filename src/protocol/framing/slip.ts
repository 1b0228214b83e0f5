import type { KeyTable } from '../keys.ts';
import type { Envelope, Opened } from './delimited-decoder.ts';
import { delimitedFraming } from './delimited-framing.ts';
import { findByte } from './find-bytes.ts';
import type { Framing } from './framing.ts';
import { checksum, type FramingOf, first, maxFrame } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { NO_BYTES } from './layout.ts';
import { checksumBytes, sealed as luaSealed, unescaped } from './lua.ts';
import { Scratch } from './scratch.ts';
import { SealedPayload } from './sealed-payload.ts';

/** The longest payload in bytes, where a declaration says none. */
const MAX_PAYLOAD = 65_536;

const KEYS = { checksum, first, max_frame: maxFrame(MAX_PAYLOAD) } as const satisfies KeyTable;

export type SlipFraming = FramingOf<'slip', typeof KEYS>;

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** SLIP (RFC 1055): END (c0) behind every frame and, when we send, in front of it, which ends whatever noise came before. */
function makeSlipFraming(declaration: SlipFraming): Framing {
  const sealed = new SealedPayload(declaration.checksum, declaration.maxFrame ?? MAX_PAYLOAD, {
    id: declaration.id,
  });
  return delimitedFraming(declaration, {
    sealed,
    delimiter: Uint8Array.of(END),
    literalEscape: undefined,
    maxBytes: 2 * sealed.maxBytes,
    proves: sealed.checksum !== undefined,
    makeEnvelope: () => new SlipEnvelope(sealed),
    wrap: escapeSlip,
  });
}

class SlipEnvelope implements Envelope {
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  readonly expected: string;
  readonly #sealed: SealedPayload;
  readonly #scratch = new Scratch();

  constructor(sealed: SealedPayload) {
    this.#sealed = sealed;
    this.expected = `${sealed.expected}, escaped as db dc or db dd`;
  }

  open(bytes: Uint8Array, start: number, end: number): Opened {
    const escapeAt = findByte(bytes, start, end, ESC);
    let length = end - start;
    if (escapeAt === end) {
      this.bytes = bytes;
      this.start = start;
    } else {
      length = this.#unescape(bytes, start, escapeAt, end);
      if (length < 0) return 'bad_encoding';
      this.bytes = this.#scratch.bytes;
      this.start = 0;
    }
    if (length > this.#sealed.maxBytes) return 'too_long';
    this.end = this.#sealed.endOf(this.bytes, this.start, this.start + length);
    return this.end < 0 ? 'bad_checksum' : 'payload';
  }

  release(): void {
    this.bytes = NO_BYTES;
    this.#scratch.release();
  }

  /** Into the scratch; how many bytes, or -1. */
  #unescape(bytes: Uint8Array, start: number, firstEscape: number, end: number): number {
    const target = this.#scratch.reserve(end - start);
    target.set(bytes.subarray(start, firstEscape));
    let to = firstEscape - start;
    for (let at = firstEscape; at < end; at++) {
      const byte = bytes[at] ?? 0;
      if (byte !== ESC) {
        target[to++] = byte;
        continue;
      }
      const escaped = ++at < end ? bytes[at] : undefined;
      if (escaped !== ESC_END && escaped !== ESC_ESC) return -1;
      target[to++] = escaped === ESC_END ? END : ESC;
    }
    return to;
  }
}

function escapeSlip(sealed: Uint8Array): Uint8Array {
  let special = 0;
  for (const byte of sealed) if (byte === END || byte === ESC) special++;
  const frame = new Uint8Array(sealed.length + special + 2);
  let to = 0;
  frame[to++] = END;
  for (const byte of sealed) {
    if (byte === END || byte === ESC) {
      frame[to++] = ESC;
      frame[to++] = byte === END ? ESC_END : ESC_ESC;
    } else frame[to++] = byte;
  }
  frame[to] = END;
  return frame;
}

const LUA = [
  'local at = 0',
  'while at < buf:len() do',
  '  local byte = buf(at, 1):uint()',
  '  if byte == 0xdb then',
  '    at = at + 1',
  '    if at == buf:len() then return end',
  '    put(buf(at, 1):uint() == 0xdc and 0xc0 or 0xdb)',
  '  elseif byte ~= 0xc0 then',
  '    put(byte)',
  '  end',
  '  at = at + 1',
  'end',
];

export const SLIP = {
  keys: KEYS,
  make: makeSlipFraming,
  luaUnwrap: ({ checksum: declared }: SlipFraming) => [
    ...unescaped(LUA),
    ...luaSealed(checksumBytes(declared)),
  ],
} as const satisfies FramingType<SlipFraming>;
