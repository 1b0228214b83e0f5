import { COBS } from './cobs.ts';
import { DELIMITER } from './delimiter.ts';
import { FIXED } from './fixed.ts';
import type { FramingOf } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { GAP } from './gap.ts';
import { ID } from './id.ts';
import { LENGTH } from './length.ts';
import { SLIP } from './slip.ts';
import { SYNC } from './sync.ts';

/**
 * The framings by the `type` of `protocol.framing` in `messages.yaml`. A new one is a file that exports all there is to
 * it, and an entry here.
 */
export const FRAMINGS = {
  length: LENGTH,
  sync: SYNC,
  slip: SLIP,
  cobs: COBS,
  delimiter: DELIMITER,
  fixed: FIXED,
  id: ID,
  gap: GAP,
} as const;

export type FramingName = keyof typeof FRAMINGS;

// The keys of an object literal are its own.
export const FRAMING_TYPES = Object.keys(FRAMINGS) as readonly FramingName[];

/** All there is to the framing of a declaration. */
export function framingType(declaration: SingleFraming): FramingType<SingleFraming> {
  // The table has each under the type that its declarations name.
  return FRAMINGS[declaration.type] as FramingType<SingleFraming>;
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

export type SingleFraming = { [T in FramingName]: FramingOf<T, (typeof FRAMINGS)[T]['keys']> }[FramingName];

/** How frames are delimited: what `protocol.framing` or `framings` of `messages.yaml` says, with bytes as bytes. */
export type FramingDeclaration = SingleFraming | SeveralFramings;

/** The side of a link that reads and writes. */
export type Side = 'host' | 'device';
