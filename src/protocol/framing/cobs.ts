import type { KeyTable } from '../keys.ts';
import type { Envelope, Opened } from './delimited-decoder.ts';
import { delimitedFraming } from './delimited-framing.ts';
import type { Framing } from './framing.ts';
import { checksum, type FramingOf, first, maxFrame } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { checksumBytes, sealed as luaSealed, unescaped } from './lua.ts';
import { Scratch } from './scratch.ts';
import { SealedPayload } from './sealed-payload.ts';

/** The longest payload in bytes, where a declaration says none. */
const MAX_PAYLOAD = 65_536;

const KEYS = { checksum, first, max_frame: maxFrame(MAX_PAYLOAD) } as const satisfies KeyTable;

export type CobsFraming = FramingOf<'cobs', typeof KEYS>;

/** Bytes behind one code byte at most. */
const LONGEST_RUN = 254;

/** Consistent overhead byte stuffing: a payload has no zero byte on the wire, so that one can end it. */
function makeCobsFraming(declaration: CobsFraming): Framing {
  const sealed = new SealedPayload(declaration.checksum, declaration.maxFrame ?? MAX_PAYLOAD, {
    id: declaration.id,
  });
  return delimitedFraming(declaration, {
    sealed,
    delimiter: Uint8Array.of(0),
    literalEscape: undefined,
    maxBytes: stuffedBytes(sealed.maxBytes),
    proves: sealed.checksum !== undefined,
    makeEnvelope: () => new CobsEnvelope(sealed),
    wrap: stuff,
  });
}

/** Most bytes that so many become, without the delimiter. */
function stuffedBytes(count: number): number {
  return count + 1 + Math.floor(count / LONGEST_RUN);
}

class CobsEnvelope implements Envelope {
  bytes: Uint8Array;
  readonly start = 0;
  end = 0;
  readonly expected: string;
  readonly #sealed: SealedPayload;
  readonly #scratch = new Scratch();

  constructor(sealed: SealedPayload) {
    this.#sealed = sealed;
    this.bytes = this.#scratch.bytes;
    this.expected = `${sealed.expected}, stuffed`;
  }

  open(bytes: Uint8Array, start: number, end: number): Opened {
    const length = this.#unstuff(bytes, start, end);
    this.bytes = this.#scratch.bytes;
    if (length < 0) return 'bad_encoding';
    if (length === 0) return 'empty';
    if (length > this.#sealed.maxBytes) return 'too_long';
    this.end = this.#sealed.endOf(this.bytes, 0, length);
    return this.end < 0 ? 'bad_checksum' : 'payload';
  }

  release(): void {
    this.#scratch.release();
    this.bytes = this.#scratch.bytes;
  }

  /** Into the scratch; how many bytes, or -1 where a code byte points behind the end. */
  #unstuff(bytes: Uint8Array, start: number, end: number): number {
    const target = this.#scratch.reserve(end - start);
    let at = start;
    let to = 0;
    while (at < end) {
      const code = bytes[at++] ?? 0;
      const next = at + code - 1;
      if (next > end) return -1;
      while (at < next) target[to++] = bytes[at++] ?? 0;
      if (code <= LONGEST_RUN && at < end) target[to++] = 0;
    }
    return to;
  }
}

function stuff(sealed: Uint8Array): Uint8Array {
  const frame = new Uint8Array(stuffedBytes(sealed.length) + 1);
  let codeAt = 0;
  let to = 1;
  let code = 1;
  for (let at = 0; at < sealed.length; at++) {
    const byte = sealed[at] ?? 0;
    if (byte !== 0) {
      frame[to++] = byte;
      code++;
    }
    // A full run at the very end needs no code byte behind it.
    if (byte === 0 || (code > LONGEST_RUN && at + 1 < sealed.length)) {
      frame[codeAt] = code;
      codeAt = to++;
      code = 1;
    }
  }
  frame[codeAt] = code;
  return frame.slice(0, to + 1);
}

const LUA = [
  'local at, stop = 0, buf:len()',
  'while at < stop and buf(at, 1):uint() == 0 do at = at + 1 end',
  'while stop > at and buf(stop - 1, 1):uint() == 0 do stop = stop - 1 end',
  'while at < stop do',
  '  local code = buf(at, 1):uint()',
  '  if code == 0 or at + code > stop then return end',
  '  for index = at + 1, at + code - 1 do put(buf(index, 1):uint()) end',
  '  at = at + code',
  '  if code < 255 and at < stop then put(0) end',
  'end',
];

export const COBS = {
  keys: KEYS,
  make: makeCobsFraming,
  luaUnwrap: ({ checksum: declared }: CobsFraming) => [
    ...unescaped(LUA),
    ...luaSealed(checksumBytes(declared)),
  ],
} as const satisfies FramingType<CobsFraming>;
