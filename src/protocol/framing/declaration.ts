import type { ByteOrder } from './byte-order.ts';

/** How a length stands on the wire: unsigned, `be` the most significant byte first. */
export const LENGTH_TYPES = ['u8', 'u16be', 'u16le', 'u24be', 'u24le', 'u32be', 'u32le'] as const;
export type LengthType = (typeof LENGTH_TYPES)[number];

/** Bytes that a checksum covers, as offsets from the first byte of the frame; at least one byte. */
export interface CoveredRange {
  readonly from: number;
  /** The offset behind the last one; absent: up to the checksum. Negative: counted back from the checksum. */
  readonly to?: number | undefined;
}

/** A checksum behind the payload. */
export interface ChecksumDeclaration {
  /** A name that `findChecksum` knows. */
  readonly algorithm: string;
  /** Order of its bytes; `big` where it is absent. */
  readonly order?: ByteOrder | undefined;
  /** `hex` writes two ASCII digits for every byte; `binary` where it is absent. */
  readonly encoding?: 'binary' | 'hex' | undefined;
  /** Fixed bytes in front of it that belong to neither payload nor checksum, like the `*` of NMEA 0183. */
  readonly separator?: Uint8Array | undefined;
}

/** A checksum in a frame with a layout: it can cover parts of the frame. */
export interface FrameChecksumDeclaration extends ChecksumDeclaration {
  /** In the order in which they are summed up; absent: all between the sync word and the checksum. */
  readonly covers?: readonly CoveredRange[] | undefined;
}

interface Bounded {
  /** Upper bound of a payload in bytes; see `DEFAULT_MAX_PAYLOAD`. */
  readonly maxFrame?: number | undefined;
}

interface Tail {
  readonly checksum?: FrameChecksumDeclaration | undefined;
  /** Fixed bytes that end every frame, behind the checksum. */
  readonly trailer?: Uint8Array | undefined;
}

interface LengthField extends Bounded, Tail {
  readonly length: LengthType;
  /** Offset of the length in the frame; absent: at its front, or right behind the sync word. */
  readonly at?: number | undefined;
  /** Added to the length to get the bytes between it and the checksum; may be negative. Absent: 0. */
  readonly adjust?: number | undefined;
}

/**
 * A length leads the frame. The payload is everything up to the checksum; a length right at the front is not part of
 * it, one that stands further behind is.
 */
export interface LengthFraming extends LengthField {
  readonly type: 'length';
}

/** A sync word leads the frame and belongs to nothing; then as with `length`. */
export interface SyncFraming extends LengthField {
  readonly type: 'sync';
  readonly sync: Uint8Array;
}

/** Every frame has the same number of bytes. The payload is what stands between the sync word and the checksum. */
export interface FixedFraming extends Tail {
  readonly type: 'fixed';
  /** Bytes of the whole frame, with sync word, checksum and trailer. */
  readonly length: number;
  readonly sync?: Uint8Array | undefined;
}

interface Delimited extends Bounded {
  readonly checksum?: ChecksumDeclaration | undefined;
  /**
   * What comes first after a link was opened may be the end of a frame. `skip` sets it aside up to the first
   * delimiter or silence, `take` trusts it. Absent: `skip` on a serial line without a checksum, else `take`.
   */
  readonly first?: 'skip' | 'take' | undefined;
}

/** RFC 1055. */
export interface SlipFraming extends Delimited {
  readonly type: 'slip';
}

/** Consistent overhead byte stuffing: a zero byte ends every frame. */
export interface CobsFraming extends Delimited {
  readonly type: 'cobs';
}

/** Some bytes end every frame; empty frames are passed over. */
export interface DelimiterFraming extends Delimited {
  readonly type: 'delimiter';
  readonly delimiter: Uint8Array;
  /**
   * Fixed bytes that begin every frame and belong to nothing; a line comes into step with them. The same as `delimiter`:
   * a flag, which opens and ends frames, and of which one between two frames may do for both.
   */
  readonly start?: Uint8Array | undefined;
  /** The byte behind this one is content, whatever it is, after an XOR with `xor` (absent: 0). */
  readonly escape?: { readonly byte: number; readonly xor?: number | undefined } | undefined;
}

/** What arrives between two silences is a frame. */
export interface GapFraming extends Bounded {
  readonly type: 'gap';
  readonly checksum?: ChecksumDeclaration | undefined;
}

/** How frames are told apart: what `protocol.framing` of `messages.yaml` says, with bytes as bytes. */
export type FramingDeclaration =
  | LengthFraming
  | SyncFraming
  | SlipFraming
  | CobsFraming
  | DelimiterFraming
  | FixedFraming
  | GapFraming;

export type FramingType = FramingDeclaration['type'];

export const FRAMING_TYPES = [
  'length',
  'sync',
  'slip',
  'cobs',
  'delimiter',
  'fixed',
  'gap',
] as const satisfies readonly FramingType[];

/** Bounds of a payload where a declaration gives none, in bytes. */
export const DEFAULT_MAX_PAYLOAD = {
  length: 1_048_576,
  sync: 65_536,
  slip: 65_536,
  cobs: 65_536,
  delimiter: 65_536,
  gap: 4096,
} as const satisfies Readonly<Record<Exclude<FramingType, 'fixed'>, number>>;

/** The greatest bound that can be asked for, in bytes. */
export const GREATEST_MAX_PAYLOAD = 0x1000_0000;
