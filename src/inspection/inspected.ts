import type { DeclaredMessage, EchoedMessage, InvalidPayload, UnknownMessage } from '../protocol/index.ts';
import type { LifeWord } from '../trace/index.ts';

/** What a frame says: a declared message, or why it is none. */
export type Meaning = DeclaredMessage | UnknownMessage | InvalidPayload | EchoedMessage;

interface At {
  /** Microseconds since the start. */
  readonly atUs: number;
  readonly connection: string;
}

export type Direction = 'in' | 'out';

/** A whole frame as it was on the wire. */
export interface InspectedFrame extends At {
  readonly kind: 'frame';
  readonly direction: Direction;
  readonly bytes: Uint8Array;
  readonly payload: Uint8Array;
  /** The framing, where a line has several. */
  readonly framing: string | undefined;
  readonly meaning: Meaning;
}

/** Bytes that belong to no frame. */
export interface DiscardedBytes extends At {
  readonly kind: 'discarded';
  readonly direction: Direction;
  readonly bytes: Uint8Array;
  readonly reason: string;
  /** What would have been taken, and what stood there instead, in words. */
  readonly expected: string;
  readonly seen: string;
}

/** Something that happened to a connection, or that a person wrote down. */
export interface InspectedEvent extends At {
  readonly kind: 'life' | 'note';
  readonly word: LifeWord | 'note' | 'expect';
  readonly detail: string;
}

/** A message that several frames made together; it has no bytes of its own. */
export interface InspectedGroup extends At {
  readonly kind: 'group';
  readonly direction: Direction;
  readonly meaning: DeclaredMessage | InvalidPayload;
}

export type Inspected = InspectedFrame | DiscardedBytes | InspectedEvent | InspectedGroup;

/** Bytes of a frame, from `start` up to `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A field, or a part of what surrounds the payload, with the bytes of the frame in which it stands. */
export interface PlacedField extends ByteRange {
  /** `channels[2].voltage`; of what surrounds a payload `sync`, `length`, `checksum`, `end` and others. */
  readonly name: string;
  /** It surrounds the payload. */
  readonly framing: boolean;
  readonly depth: number;
  readonly value?: unknown;
  readonly raw?: unknown;
  readonly unit?: string | undefined;
  readonly note?: string | undefined;
}
