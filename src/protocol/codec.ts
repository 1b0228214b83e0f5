import { HeartwireError } from '../errors.ts';
import { encodeBuiltin } from './builtin.ts';
import type { ProtocolDefinition } from './definition.ts';
import { copyOf } from './describe.ts';
import { newFrame, PREFIX_BYTES } from './frame.ts';
import type { InvalidPayload, Message, UnknownMessage } from './message.ts';

/**
 * Decodes one payload (`bytes` from `start` to `end`, without the length prefix). Hostile content is data: it comes
 * back as `invalid`. Throws only where the range holds no byte at all.
 */
export function decodePayload(
  definition: ProtocolDefinition,
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Message | InvalidPayload {
  if (start < 0 || end > bytes.length || start >= end) {
    throw new HeartwireError('bad_argument', 'A payload has at least one byte, its id', {
      seen: `bytes ${start} to ${end} of ${bytes.length}`,
    });
  }
  const id = readI8(bytes, start);
  const message = definition.message(id);
  if (message !== undefined) return message.decode(bytes, start, end);
  return { name: 'unknown', kind: 'unknown', id, payload: copyOf(bytes, start, end) };
}

/**
 * Encodes a message as a whole frame, length prefix included. The bytes must not be modified: frequent ones are
 * shared. Throws `bad_argument` for fields that no frame can carry, and for declared messages.
 */
export function encodeFrame(message: Message): Uint8Array {
  if (message.kind === 'reply') checkErrorCode(message.name, message.error);
  switch (message.name) {
    case 'register':
    case 'heartbeat':
    case 'datetime':
      return encodeBuiltin(message);
    case 'unknown':
      return encodeUnknown(message);
    case 'echo':
      throw new HeartwireError('bad_argument', 'What came back to us is nothing to be sent', {
        seen: `${message.payload.length} bytes`,
      });
    case 'declared':
      throw new HeartwireError(
        'bad_argument',
        'A declared message is encoded by the protocol that declares it',
        {
          seen: message.message,
        },
      );
  }
}

/** Reads a signed 8-bit number. */
function readI8(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) >> 24;
}

function checkErrorCode(name: string, error: number): void {
  if (Number.isInteger(error) && error >= -128 && error <= 127) return;
  throw new HeartwireError('bad_argument', `${name}: an error code is a whole number from -128 to 127`, {
    seen: String(error),
  });
}

function encodeUnknown(message: UnknownMessage): Uint8Array {
  const { id, payload } = message;
  if (id === undefined || payload.length === 0 || readI8(payload, 0) !== id) {
    throw new HeartwireError('bad_argument', 'The payload of an unknown message begins with its id', {
      seen: `id ${id ?? 'none'}, ${payload.length} bytes`,
    });
  }
  const frame = newFrame(id, payload.length);
  frame.set(payload, PREFIX_BYTES);
  return frame;
}
