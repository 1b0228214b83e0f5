import type { SingleFraming } from '../protocol/index.ts';

/** One frame that a framing cuts out of the bytes. */
export interface Frame {
  /** Where it lies, marks of the framing included. */
  readonly start: number;
  readonly end: number;
  /** What a checksum can cover: the whole frame, or what stands between two marks, without escapes. */
  readonly content: Uint8Array;
}

/** The hypotheses of which checksums are tried. */
export interface ChecksumPlace {
  /** `hex`: digits as text at the end of the content. */
  readonly encoding: 'binary' | 'hex';
  /** Offsets in the content at which coverage may begin, the likeliest first. */
  readonly from: readonly number[];
  /** Bytes that end every frame behind a checksum may be such a trailer. */
  readonly trailers: boolean;
}

/** How bytes may be cut into frames. */
export interface Cut {
  readonly framing: SingleFraming;
  readonly frames: readonly Frame[];
  /** Bytes that belong to a frame. */
  readonly explained: number;
  /** What shows the frames, in bits: so many would have had to come out by chance. */
  readonly proof: number;
  /** What shows it, in sentences. */
  readonly evidence: readonly string[];
  /** Lower is the simpler claim. */
  readonly cost: number;
  /** Where a checksum is looked for; absent: none can stand in such frames. */
  readonly place?: ChecksumPlace | undefined;
  /** The framing with a checksum that was found. */
  seal(found: FoundChecksum): SingleFraming;
}

/** A checksum over the contents of frames. */
export interface FoundChecksum {
  readonly algorithm: string;
  readonly bits: number;
  readonly order: 'big' | 'little';
  readonly encoding: 'binary' | 'hex';
  /** The first byte of the content that it covers. */
  readonly from: number;
  /** Bytes between what is covered and the checksum. */
  readonly separator: Uint8Array;
  /** Bytes behind it that end every frame. */
  readonly trailer: Uint8Array;
  /** Bytes of the content that belong to separator, checksum and trailer. */
  readonly tailBytes: number;
  /** Of each frame, whether it is right. */
  readonly right: readonly boolean[];
  /** Bits that would have had to come out by chance, those of the choice taken off. */
  readonly proof: number;
  /** Others that are right in just the same frames. */
  readonly alternatives: readonly string[];
}

/** Its keys in `messages.yaml`; one of a single byte has no order. */
export const checksumKeys = ({ algorithm, bits, order }: FoundChecksum) => ({
  algorithm,
  ...(bits > 8 ? { order } : {}),
});

/** A key that is the same for cuts into the same frames. */
export const extents = ({ frames }: Cut): string => frames.map(({ start, end }) => `${start}-${end}`).join();

export const total = (frames: readonly Frame[]): number =>
  frames.reduce((sum, { start, end }) => sum + end - start, 0);
