import type { DecodeReason } from './declared/reading.ts';
import type { FieldIssue, Values } from './declared/value.ts';

/** A register request: who the sender says it is. Both fields as they stood in the frame, ASCII. */
export interface RegisterRequest {
  readonly name: 'register';
  readonly kind: 'request';
  readonly fields: { readonly appid: string; readonly imei: string };
}

export interface RegisterReply {
  readonly name: 'register';
  readonly kind: 'reply';
  /** Signed 8-bit error code, 0 success. */
  readonly error: number;
}

export interface HeartbeatRequest {
  readonly name: 'heartbeat';
  readonly kind: 'request';
}

export interface HeartbeatReply {
  readonly name: 'heartbeat';
  readonly kind: 'reply';
  readonly error: number;
}

export interface DatetimeRequest {
  readonly name: 'datetime';
  readonly kind: 'request';
}

export interface DatetimeReply {
  readonly name: 'datetime';
  readonly kind: 'reply';
  readonly error: number;
  /** `YYYY-MM-DD HH:MM:SS` in the answerer's local time; absent where `error` is not 0. */
  readonly fields: { readonly datetime?: string };
}

/**
 * A frame within bounds whose id is not declared; only streams without hunting (TCP) deliver these. Or a reply of which
 * nothing shows which request it answers.
 */
export interface UnknownMessage {
  readonly name: 'unknown';
  readonly kind: 'unknown';
  /** Signed 8-bit message id; absent where messages have none. */
  readonly id?: number;
  /** The messages to which it may be the reply; absent where it fits none. */
  readonly answers?: readonly string[];
  /** The whole payload, id included; a copy that the receiver owns. */
  readonly payload: Uint8Array;
}

interface DeclaredContent {
  readonly name: 'declared';
  /** Its name in the declaration. */
  readonly message: string;
  /** Absent where the protocol has no ids. */
  readonly id?: number;
  /** Of the device that it goes to or comes from; absent where messages carry none. */
  readonly address?: number;
  /** Values in their units; what is invalid or not present is absent. */
  readonly fields: Values;
  /** Raw values, where they differ. */
  readonly raw: Values;
  readonly issues: readonly FieldIssue[];
  /** Of an answer by rule: its bytes, which stand in a frame unless it is said otherwise. */
  readonly encoded?: { readonly payload: Uint8Array; readonly framed: boolean };
  /** Of a part of a group with a checksum: the whole payload, a copy. */
  readonly payload?: Uint8Array;
}

/** A declared message that is answered. */
export interface DeclaredRequest extends DeclaredContent {
  readonly kind: 'request';
}

export interface DeclaredReply extends DeclaredContent {
  readonly kind: 'reply';
  /** 0 is success, and what replies without an error code have. */
  readonly error: number;
  /** What the error code is called in the declaration. */
  readonly errorName?: string;
}

/** A declared message without a reply. */
export interface DeclaredNotice extends DeclaredContent {
  readonly kind: 'notice';
}

/** A message that users declared. */
export type DeclaredMessage = DeclaredRequest | DeclaredReply | DeclaredNotice;

/** A payload that we sent came back as it was. */
export interface EchoedMessage {
  readonly name: 'echo';
  readonly kind: 'echo';
  /** The whole payload; a copy that the receiver owns. */
  readonly payload: Uint8Array;
}

/** The messages of the built-in protocol, and undeclared ones. */
export type BuiltinMessage =
  | RegisterRequest
  | RegisterReply
  | HeartbeatRequest
  | HeartbeatReply
  | DatetimeRequest
  | DatetimeReply
  | UnknownMessage;

/** What a payload decodes to. */
export type Message = BuiltinMessage | DeclaredMessage | EchoedMessage;

/** A message that can be asked and answered; the slot of a request in flight is named by it. */
export type RequestName = 'register' | 'heartbeat' | 'datetime';

/** A payload that has the right length for its id but whose content is not as declared. */
export interface InvalidPayload {
  readonly name: 'invalid';
  readonly kind: 'request' | 'reply' | 'notice';
  /** The message that it would have been: a `RequestName`, or a declared one. */
  readonly message: string;
  readonly field: string;
  /** Offset of the field in the payload, in bytes. */
  readonly offset: number;
  readonly expected: string;
  readonly seen: string;
  /** Of a declared message: why. */
  readonly reason?: DecodeReason;
  /** Bytes that the field needs, and those that are left of the payload, where that is the reason. */
  readonly needed?: number;
  readonly available?: number;
  /** Of a declared message: the whole payload, a copy that the receiver owns. */
  readonly payload?: Uint8Array;
}
