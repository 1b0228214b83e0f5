import { copyOf, hexExcerpt } from '../describe.ts';
import type { InvalidPayload, UnknownMessage } from '../message.ts';

/** What is said of a payload that is no declared message. */
export function unknownPayload(
  id: number | undefined,
  bytes: Uint8Array,
  start: number,
  end: number,
): UnknownMessage | InvalidPayload {
  if (id !== undefined && !Number.isNaN(id)) {
    return { name: 'unknown', kind: 'unknown', id, payload: copyOf(bytes, start, end) };
  }
  return {
    name: 'invalid',
    kind: 'notice',
    message: 'unknown',
    field: 'id',
    offset: 0,
    expected: id === undefined ? 'a declared message' : 'at least the id',
    seen: `${end - start} bytes: ${hexExcerpt(bytes, start, end)}`,
    reason: id === undefined ? 'unknown_message' : 'too_short',
    payload: copyOf(bytes, start, end),
  };
}
