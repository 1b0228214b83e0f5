import type { FrameShape, MessageDefinition } from '../definition.ts';
import { newFrame, statusFrame } from '../frame.ts';
import type { HeartbeatReply, HeartbeatRequest, InvalidPayload } from '../message.ts';
import { readI8, statusReplyShape, wrongLength } from './replies.ts';

const ID = 0x01;

const REQUEST: FrameShape = {
  message: 'heartbeat',
  kind: 'request',
  minLength: 1,
  maxLength: 1,
  content: 'nothing but the id',
  weak: true,
  check: () => 0,
};

const DECODED_REQUEST: HeartbeatRequest = { name: 'heartbeat', kind: 'request' };
const DECODED_SUCCESS: HeartbeatReply = { name: 'heartbeat', kind: 'reply', error: 0 };

/** `heartbeat`, id 0x01: I am alive, are you? */
export const heartbeatMessage: MessageDefinition = {
  name: 'heartbeat',
  id: ID,
  shapes: [REQUEST, statusReplyShape('heartbeat')],
  decode(bytes, start, end): HeartbeatRequest | HeartbeatReply | InvalidPayload {
    if (end - start === 1) return DECODED_REQUEST;
    if (end - start !== 2) return wrongLength('heartbeat', this, bytes, start, end);
    const error = readI8(bytes, start + 1);
    return error === 0 ? DECODED_SUCCESS : { name: 'heartbeat', kind: 'reply', error };
  },
};

const ENCODED_REQUEST = newFrame(ID, 1);
const ENCODED_SUCCESS = statusFrame(ID, 0);

/** Requests and successful replies are shared constants: they must not be modified. */
export function encodeHeartbeat(message: HeartbeatRequest | HeartbeatReply): Uint8Array {
  if (message.kind === 'request') return ENCODED_REQUEST;
  return message.error === 0 ? ENCODED_SUCCESS : statusFrame(ID, message.error);
}
