import { HeartwireError } from '../../errors.ts';
import type { FrameShape, MessageDefinition } from '../definition.ts';
import { asciiText, quotedText } from '../describe.ts';
import { newFrame, PREFIX_BYTES, statusFrame } from '../frame.ts';
import type { DatetimeReply, DatetimeRequest, InvalidPayload } from '../message.ts';
import { DATETIME_BYTES, fittingDatetime } from '../text-checks.ts';
import { readI8, statusReplyShape, wrongLength } from './replies.ts';

const ID = 0x02;
const TEXT_AT = 2;
const REPLY_BYTES = TEXT_AT + DATETIME_BYTES;
const EXPECTED_TEXT = 'a date and time that exist, as YYYY-MM-DD HH:MM:SS';

const REQUEST: FrameShape = {
  message: 'datetime',
  kind: 'request',
  minLength: 1,
  maxLength: 1,
  content: 'nothing but the id',
  weak: true,
  check: () => 0,
};

const REPLY: FrameShape = {
  message: 'datetime',
  kind: 'reply',
  minLength: REPLY_BYTES,
  maxLength: REPLY_BYTES,
  content: `error code 0, then ${EXPECTED_TEXT}`,
  weak: false,
  lastByte: [0x30, 0x39],
  check(bytes, start) {
    if (bytes[start + 1] !== 0) return ~1;
    const text = fittingDatetime(bytes, start + TEXT_AT);
    // One past the last fitting byte was touched too, unless all of them fit.
    return text < DATETIME_BYTES ? ~(1 + text + 1) : 1 + DATETIME_BYTES;
  },
};

const ERROR_REPLY: FrameShape = {
  ...statusReplyShape('datetime'),
  content: 'an error code other than 0 (-1 where the line is out of step)',
  lastByte: [0x01, 0xff],
  check: (bytes, start) => (bytes[start + 1] === 0xff ? 1 : ~1),
};

const DECODED_REQUEST: DatetimeRequest = { name: 'datetime', kind: 'request' };

/** `datetime`, id 0x02: what the answerer's local time is. */
export const datetimeMessage: MessageDefinition = {
  name: 'datetime',
  id: ID,
  shapes: [REQUEST, REPLY, ERROR_REPLY],
  decode(bytes, start, end): DatetimeRequest | DatetimeReply | InvalidPayload {
    const length = end - start;
    if (length === 1) return DECODED_REQUEST;
    if (length !== 2 && length !== REPLY_BYTES) return wrongLength('datetime', this, bytes, start, end);
    const error = readI8(bytes, start + 1);
    if (length === 2 ? error === 0 : error !== 0) {
      const expected =
        length === 2 ? 'an error code other than 0 in a reply of 2 bytes' : `0 in a reply of 21 bytes`;
      return invalid('error', 1, expected, String(error));
    }
    if (length === 2) return { name: 'datetime', kind: 'reply', error, fields: {} };
    if (fittingDatetime(bytes, start + TEXT_AT) < DATETIME_BYTES) {
      return invalid('datetime', TEXT_AT, EXPECTED_TEXT, quotedText(bytes, start + TEXT_AT, end));
    }
    return {
      name: 'datetime',
      kind: 'reply',
      error,
      fields: { datetime: asciiText(bytes, start + TEXT_AT, end) },
    };
  },
};

function invalid(field: string, offset: number, expected: string, seen: string): InvalidPayload {
  return { name: 'invalid', kind: 'reply', message: 'datetime', field, offset, expected, seen };
}

const ENCODED_REQUEST = newFrame(ID, 1);

/** Requests are a shared constant: it must not be modified. */
export function encodeDatetime(message: DatetimeRequest | DatetimeReply): Uint8Array {
  if (message.kind === 'request') return ENCODED_REQUEST;
  const text = message.fields.datetime;
  if (message.error !== 0) {
    if (text === undefined) return statusFrame(ID, message.error);
    throw new HeartwireError('bad_argument', 'datetime: a reply with an error carries no datetime', {
      seen: text,
    });
  }
  const frame = newFrame(ID, REPLY_BYTES);
  // Characters beyond ASCII would be cut to a byte, which might be a digit.
  const fits = text !== undefined && /^[\d: -]{19}$/.test(text);
  if (fits) for (let i = 0; i < DATETIME_BYTES; i++) frame[PREFIX_BYTES + TEXT_AT + i] = text.charCodeAt(i);
  if (!fits || fittingDatetime(frame, PREFIX_BYTES + TEXT_AT) < DATETIME_BYTES) {
    throw new HeartwireError('bad_argument', `datetime: must be ${EXPECTED_TEXT}`, {
      seen: text ?? 'nothing',
    });
  }
  return frame;
}
