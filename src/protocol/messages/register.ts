import { HeartwireError } from '../../errors.ts';
import type { FrameShape, MessageDefinition } from '../definition.ts';
import { asciiText, quotedText } from '../describe.ts';
import { newFrame, PREFIX_BYTES, statusFrame } from '../frame.ts';
import type { InvalidPayload, RegisterReply, RegisterRequest } from '../message.ts';
import { fittingDigits, fittingText, fittingUuid, UUID_BYTES } from '../text-checks.ts';
import { readI8, statusReplyShape, wrongLength } from './replies.ts';

const ID = 0x00;
const IMEI_BYTES = 15;
const APPID_AT = 1;
const IMEI_AT = APPID_AT + UUID_BYTES;
const REQUEST_BYTES = IMEI_AT + IMEI_BYTES;

/** `any` admits an appid or IMEI that is other printable text of the same length. */
export type IdentityRule = 'standard' | 'any';

const EXPECTED = {
  standard: { appid: 'a UUID in text form (36 characters)', imei: '15 digits' },
  any: { appid: '36 printable ASCII characters', imei: '15 printable ASCII characters' },
} as const;

function fittingAppid(identity: IdentityRule, bytes: Uint8Array, at: number): number {
  return identity === 'any' ? fittingText(bytes, at, UUID_BYTES) : fittingUuid(bytes, at);
}

function fittingImei(identity: IdentityRule, bytes: Uint8Array, at: number): number {
  return identity === 'any' ? fittingText(bytes, at, IMEI_BYTES) : fittingDigits(bytes, at, IMEI_BYTES);
}

/** `register`, id 0x00: who the sender says it is. */
export function registerMessage(identity: IdentityRule): MessageDefinition {
  const expected = EXPECTED[identity];
  const request: FrameShape = {
    message: 'register',
    kind: 'request',
    minLength: REQUEST_BYTES,
    maxLength: REQUEST_BYTES,
    content: `appid ${expected.appid}, imei ${expected.imei}`,
    weak: false,
    lastByte: identity === 'any' ? [0x20, 0x7e] : [0x30, 0x39],
    check(bytes, start) {
      const appid = fittingAppid(identity, bytes, start + APPID_AT);
      if (appid < UUID_BYTES) return ~(appid + 1);
      const imei = fittingImei(identity, bytes, start + IMEI_AT);
      return imei < IMEI_BYTES ? ~(UUID_BYTES + imei + 1) : UUID_BYTES + IMEI_BYTES;
    },
  };
  const invalid = (
    field: 'appid' | 'imei',
    bytes: Uint8Array,
    start: number,
    offset: number,
    length: number,
  ): InvalidPayload => ({
    name: 'invalid',
    kind: 'request',
    message: 'register',
    field,
    offset,
    expected: expected[field],
    seen: quotedText(bytes, start + offset, start + offset + length),
  });
  return {
    name: 'register',
    id: ID,
    shapes: [request, statusReplyShape('register')],
    decode(bytes, start, end): RegisterRequest | RegisterReply | InvalidPayload {
      if (end - start === 2) return { name: 'register', kind: 'reply', error: readI8(bytes, start + 1) };
      if (end - start !== REQUEST_BYTES) return wrongLength('register', this, bytes, start, end);
      const imeiAt = start + IMEI_AT;
      if (fittingAppid(identity, bytes, start + APPID_AT) < UUID_BYTES) {
        return invalid('appid', bytes, start, APPID_AT, UUID_BYTES);
      }
      if (fittingImei(identity, bytes, imeiAt) < IMEI_BYTES) {
        return invalid('imei', bytes, start, IMEI_AT, IMEI_BYTES);
      }
      const fields = {
        appid: asciiText(bytes, start + APPID_AT, imeiAt),
        imei: asciiText(bytes, imeiAt, end),
      };
      return { name: 'register', kind: 'request', fields };
    },
  };
}

/** Encodes as `identity: any` would admit; whether it is a UUID and digits is for configuration to check. */
export function encodeRegister(message: RegisterRequest | RegisterReply): Uint8Array {
  if (message.kind === 'reply') return message.error === 0 ? SUCCESS : statusFrame(ID, message.error);
  const frame = newFrame(ID, REQUEST_BYTES);
  putText(frame, PREFIX_BYTES + APPID_AT, UUID_BYTES, 'appid', message.fields.appid);
  putText(frame, PREFIX_BYTES + IMEI_AT, IMEI_BYTES, 'imei', message.fields.imei);
  return frame;
}

const SUCCESS = statusFrame(ID, 0);

function putText(frame: Uint8Array, at: number, length: number, field: 'appid' | 'imei', text: string): void {
  for (let index = 0; index < text.length; index++) frame[at + index] = text.charCodeAt(index);
  const fits = text.length === length && /^[\x20-\x7e]*$/.test(text);
  if (!fits) {
    throw new HeartwireError('bad_argument', `register: ${field} must be ${EXPECTED.any[field]}`, {
      seen: text,
    });
  }
}
