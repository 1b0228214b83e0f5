import { type FrameShape, lengthsInWords, type MessageDefinition } from '../definition.ts';
import { hexExcerpt } from '../describe.ts';
import type { InvalidPayload, RequestName } from '../message.ts';

/** Reads a signed 8-bit number. */
export function readI8(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) >> 24;
}

/** The shape of a reply that is nothing but the id and a signed error code. */
export function statusReplyShape(message: RequestName): FrameShape {
  return {
    message,
    kind: 'reply',
    minLength: 2,
    maxLength: 2,
    content: 'an error code (0 or -1 where the line is out of step)',
    weak: true,
    check(bytes, start) {
      const error = bytes[start + 1];
      return error === 0 || error === 0xff ? 1 : ~1;
    },
  };
}

/** What a payload whose length fits none of the message's shapes decodes to. */
export function wrongLength(
  name: RequestName,
  message: MessageDefinition,
  bytes: Uint8Array,
  start: number,
  end: number,
): InvalidPayload {
  return {
    name: 'invalid',
    kind: 'request',
    message: name,
    field: 'length',
    offset: 0,
    expected: lengthsInWords(message),
    seen: `${end - start} bytes: ${hexExcerpt(bytes, start, end)}`,
  };
}
