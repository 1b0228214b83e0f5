import type { FrameDecoder, FrameSink } from '../decoder.ts';
import type { ChecksumDeclaration } from './framing-keys.ts';
import type { FrameLayout } from './layout.ts';

/**
 * What the declared messages know about a payload. It stands in for a checksum where a line has none: a frame counts
 * only if its payload is one of a declared message.
 */
export interface PayloadJudge {
  /** So many times `check` looks at each byte at most; once where it is left out. */
  readonly passes?: number;
  /** Whether a payload of `length` bytes is possible, of which the first `held` are at `start`; none may be held yet. */
  possible(bytes: Uint8Array, start: number, held: number, length: number): boolean;
  /**
   * Looks at the content of a whole payload: how many bytes were touched where it is plausible, the bitwise complement
   * of that number where it is not. Touches at most `passes * (end - start)` bytes.
   */
  check(bytes: Uint8Array, start: number, end: number): number;
  /**
   * By how many bits of constants and checksums a whole payload proves that it is a declared message, -1 where it is
   * none; and how many bytes were touched to say so. With `awaited` only the reply to that message counts.
   */
  proof?(
    bytes: Uint8Array,
    start: number,
    end: number,
    awaited?: string,
  ): { readonly bits: number; readonly touched: number };
  /**
   * Whether these bytes are the reply to this message, from the first to the last, and say so themselves: whatever
   * follows is none of it.
   */
  ends?(bytes: Uint8Array, start: number, end: number, awaited: string): boolean;
  /** Whether these bytes begin a declared message, and more of it is to come, as the declaration or they say. */
  begins?(bytes: Uint8Array, start: number, end: number): boolean;
  /**
   * Bytes of the payload that begins here, by the id of its message; -1 where no message of a fixed size has it, -2 where
   * the id is not all there.
   */
  lengthOf?(bytes: Uint8Array, start: number, end: number): number;
  /** What is known about payloads of one of several framings. */
  readonly of?: ((kind: string) => PayloadJudge | undefined) | undefined;
  /** Least and most bytes of the messages, each pair once; any length where it is left out. */
  readonly spans?: readonly (readonly [least: number, most: number])[];
  /** The checksum that ends every one of them, over all in front of it; it belongs to the payload. */
  readonly seal?: ChecksumDeclaration | undefined;
}

export interface FramingOptions {
  /** `serial` lines lose and invent bytes, and report silences; a `stream` does neither. */
  readonly line: 'stream' | 'serial';
  /**
   * Used by `length` and `fixed` framing where nothing else in the declaration could prove a frame, and by `gap` framing
   * for bursts that are not simply one frame, and for the reply that is awaited, which ends without a silence.
   */
  readonly judge?: PayloadJudge | undefined;
  /** The message of which the reply is the only one that can come now. */
  readonly awaited?: (() => string | undefined) | undefined;
}

/** One way to tell frames apart, in both directions. It has no state of its own and serves any number of links. */
export interface Framing {
  /** In words, for logs and `explain`: `sync b5 62, u16le length at 4, fletcher-8-ubx`. */
  readonly describe: string;
  /** Frames end with silence, so that a link must report it: `idle()` of the decoder, on TCP too. */
  readonly needsSilence: boolean;
  /** What surrounds a payload is not as long in every frame. */
  readonly varies: boolean;
  /** Upper bound of a payload, in bytes. */
  readonly maxPayload: number;
  /** Where everything stands in a frame that says how long it is, or has a fixed size. */
  readonly layout?: FrameLayout | undefined;
  makeDecoder(sink: FrameSink, options: FramingOptions): FrameDecoder;
  /**
   * The whole frame around a payload of at least one byte, in memory of its own. Throws `bad_argument` for a payload
   * that no such frame can carry. Of several framings it is that of this name, the first where it is left out.
   */
  encode(payload: Uint8Array, kind?: string): Uint8Array;
}
