import type { KeyTable } from '../keys.ts';
import type { Envelope, Opened } from './delimited-decoder.ts';
import { delimitedFraming } from './delimited-framing.ts';
import type { ChecksumDeclaration, FramingId } from './framing-keys.ts';
import { checksum, first, maxFrame } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { NO_BYTES } from './layout.ts';
import { markedLocation } from './locate.ts';
import { checksumBytes, sealed as luaSealed, unescaped } from './lua.ts';
import { Scratch } from './scratch.ts';
import { SealedPayload } from './sealed-payload.ts';

/** The longest payload in bytes, where a declaration says none. */
const MAX_PAYLOAD = 65_536;

export const STUFFED_KEYS = { checksum, first, max_frame: maxFrame(MAX_PAYLOAD) } as const satisfies KeyTable;

/** What a declaration of such a framing says. */
interface StuffedDeclaration {
  readonly type: string;
  readonly checksum?: ChecksumDeclaration | undefined;
  readonly first?: 'skip' | 'take' | undefined;
  readonly maxFrame?: number | undefined;
  readonly id?: FramingId | undefined;
}

/** How the delimiter is kept out of what stands between two of it. */
export interface Stuffing {
  readonly delimiter: number;
  /** What is special about a frame, in words, for reports. */
  readonly expected: string;
  /** Most bytes that so many become, without the delimiter. */
  maxBytes(count: number): number;
  /** Whether these bytes stand for themselves, so that nothing has to be copied. */
  isPlain(bytes: Uint8Array, start: number, end: number): boolean;
  /** Puts what the bytes stand for into `target`, which has room for as many; how many they are, or -1. */
  unstuff(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number;
  /** The whole frame, with its delimiters. */
  stuff(sealed: Uint8Array): Uint8Array;
  /** Where each byte of a payload begins on the wire; one more entry says where the last one ends. */
  locate(wire: Uint8Array, payload: Uint8Array): readonly number[] | undefined;
  /** Lines of Lua that `put` what the bytes of `buf` stand for. */
  readonly lua: readonly string[];
}

/** A framing whose delimiter never stands among the bytes of a payload. */
export function stuffedFraming<D extends StuffedDeclaration>(stuffing: Stuffing) {
  return {
    keys: STUFFED_KEYS,
    isAmongOthers: false,
    make(declaration) {
      const { checksum: declared, maxFrame: most = MAX_PAYLOAD, id } = declaration;
      const sealed = new SealedPayload(declared, most, { id });
      return delimitedFraming(declaration, {
        sealed,
        delimiter: Uint8Array.of(stuffing.delimiter),
        literalEscape: undefined,
        maxBytes: stuffing.maxBytes(sealed.maxBytes),
        proves: sealed.checksum !== undefined,
        makeEnvelope: () => new StuffedEnvelope(sealed, stuffing),
        wrap: (bytes) => stuffing.stuff(bytes),
      });
    },
    luaUnwrap: ({ checksum: declared }) => [
      ...unescaped(stuffing.lua),
      ...luaSealed(checksumBytes(declared)),
    ],
    locate: ({ checksum: declared }, wire, payload) =>
      markedLocation(wire, stuffing.locate(wire, payload), {
        checked: declared !== undefined,
        endBytes: 1,
      }),
  } as const satisfies FramingType<D>;
}

class StuffedEnvelope implements Envelope {
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  readonly expected: string;
  readonly #sealed: SealedPayload;
  readonly #stuffing: Stuffing;
  readonly #scratch = new Scratch();

  constructor(sealed: SealedPayload, stuffing: Stuffing) {
    this.#sealed = sealed;
    this.#stuffing = stuffing;
    this.expected = `${sealed.expected}, ${stuffing.expected}`;
  }

  open(bytes: Uint8Array, start: number, end: number): Opened {
    let length = end - start;
    if (this.#stuffing.isPlain(bytes, start, end)) {
      this.bytes = bytes;
      this.start = start;
    } else {
      length = this.#stuffing.unstuff(bytes, start, end, this.#scratch.reserve(end - start));
      if (length < 0) return 'bad_encoding';
      this.bytes = this.#scratch.bytes;
      this.start = 0;
    }
    if (length === 0) return 'empty';
    if (length > this.#sealed.maxBytes) return 'too_long';
    this.end = this.#sealed.endOf(this.bytes, this.start, this.start + length);
    return this.end < 0 ? 'bad_checksum' : 'payload';
  }

  release(): void {
    this.bytes = NO_BYTES;
    this.#scratch.release();
  }
}
