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

/** A frame within bounds whose id is not declared; only streams without hunting (TCP) deliver these. */
export interface UnknownMessage {
  readonly name: 'unknown';
  readonly kind: 'unknown';
  /** Signed 8-bit message id. */
  readonly id: number;
  /** The whole payload, id included; a copy that the receiver owns. */
  readonly payload: Uint8Array;
}

/** What a payload decodes to. */
export type Message =
  | RegisterRequest
  | RegisterReply
  | HeartbeatRequest
  | HeartbeatReply
  | DatetimeRequest
  | DatetimeReply
  | UnknownMessage;

/** A message that can be asked and answered; the slot of a request in flight is named by it. */
export type RequestName = 'register' | 'heartbeat' | 'datetime';

/** A payload that has the right length for its id but whose content is not as declared. */
export interface InvalidPayload {
  readonly name: 'invalid';
  readonly kind: 'request' | 'reply';
  /** The message that it would have been. */
  readonly message: RequestName;
  readonly field: string;
  /** Offset of the field in the payload, in bytes. */
  readonly offset: number;
  readonly expected: string;
  readonly seen: string;
}
