import type { ProtocolDefinition } from './definition.ts';

/** Why bytes were set aside: each is a stable word in reports, traces and metrics. */
export type DiscardReason =
  /** On a serial line: no plausible header (length + id of a known message) here. */
  | 'no_header'
  /** A header was plausible, the content behind it was not (UUID, digits, date, error code). */
  | 'bad_content'
  /** The content-check budget (16 bytes per byte received) was spent; the whole candidate was skipped. */
  | 'budget'
  /** The line fell idle, or the link ended, in the middle of a frame. */
  | 'truncated'
  /** A whole frame whose checksum or trailer is not what it must be. */
  | 'bad_checksum'
  /** A whole frame whose escapes or stuffing cannot be undone. */
  | 'bad_encoding'
  /** More bytes than a frame may have, without an end. */
  | 'too_long'
  /** A whole frame that we sent, and that came back. */
  | 'echo';

/** Bytes that a report quotes at most. */
export const SAMPLE_BYTES = 64;

/** One coalesced report of bytes that belong to no frame. */
export interface Discarded {
  readonly count: number;
  /** Of the first byte; `budget` where any candidate among them was skipped for it. */
  readonly reason: DiscardReason;
  /** What would have been taken, in words. */
  readonly expected: string;
  /** What was there instead: another protocol by name (telnet of a serial server), else the first bytes as hex. */
  readonly seen: string;
  /** The first bytes of them (at most `SAMPLE_BYTES`), a copy. */
  readonly sample: Uint8Array;
}

/** Why a stream cannot go on. */
export type FaultReason = 'zero_length' | 'too_long' | 'impossible_length' | 'intruder' | 'no_hello';

/** The end of a stream without hunting: the link must be closed and opened again. */
export interface DecoderFault {
  readonly reason: FaultReason;
  /** The length that the header claimed, unsigned. */
  readonly length: number;
  /** What would have been possible, in words ("2 or 52 bytes for register"). */
  readonly expected: string;
  /** What was seen, in words; names the intruder where it is recognisable ("an HTTP request: GET / HTTP/1.1"). */
  readonly seen: string;
  readonly sample: Uint8Array;
}

/** What is odd about a line as long as it lasts, and costs frames. */
export interface LineRemark {
  readonly reason: 'telnet' | 'wrong_delimiter';
  /** What was seen, and what to do. */
  readonly detail: string;
}

/** Receives what a decoder finds, in the order of the bytes. A sink may close the decoder while it is called. */
export interface FrameSink {
  /**
   * One whole frame: its payload, of at least one byte, is `bytes.subarray(start, end)` and valid only during the
   * call. What surrounds it there depends on the framing (the payload of an escaped frame stands alone), so the
   * sink reads nothing outside; the bytes as they were on the wire are those of the link. `kind` names the framing where
   * there are several on one line.
   */
  frame(bytes: Uint8Array, start: number, end: number, kind?: string): void;
  discarded(report: Discarded): void;
  /** Nothing follows a fault: later bytes are ignored. */
  fault(report: DecoderFault): void;
  /** At most once for each reason. No byte is taken by it. */
  remark?(remark: LineRemark): void;
  /** Whether a reply may come now: to the message of this name, or to any. Absent where nothing is asked. */
  awaitsReply?(message?: string): boolean;
}

/** Bytes in, frames out; hostile bytes are data (`discarded`, `fault`), never exceptions. */
export interface FrameDecoder {
  push(chunk: Uint8Array): void;
  /** The line fell silent: a half frame is rescanned for a whole one behind it, else discarded as `truncated`. */
  idle(): void;
  /** The link ended: what is left is reported. Idempotent; nothing is reported afterwards. */
  close(): void;
  /**
   * Other messages and another bound of the same framing, from the next header on; the header of a half frame is read
   * again. May be called from within the sink. Absent where the framing is all that the decoder knows.
   */
  define?(definition: ProtocolDefinition): void;
  /** Bytes of an unfinished frame now held. */
  readonly pending: number;
}
