import { isJsonObject, type Json } from '../../feed/wire/json.ts';
import type { Position } from '../../feed/wire/position.ts';

const utf8 = new TextEncoder();
const DATA = utf8.encode('data: ');
const END = utf8.encode('\n\n');
/** How those messages begin that say how far the client has come. */
const TELL_POSITION = ['{"type":"synced",', '{"type":"position",'].map((text) => utf8.encode(text));
const EPOCH = /^[A-Za-z0-9_-]{1,128}$/;
const MAX_EPOCHS = 64;

/** A comment: it tells proxies and the operating system that the connection is in use, and is no event. */
export const HEARTBEAT_COMMENT: Uint8Array = utf8.encode(': heartbeat\n\n');

/**
 * One JSON text, given in parts, as a server-sent event. The `id` of an event is what a browser says when it comes
 * back, so only those carry one that tell a position; it stands for all events since.
 */
export function sseFrame(parts: readonly Uint8Array[]): Uint8Array {
  const id = utf8.encode(eventId(parts));
  const all = [id, DATA, ...parts, END];
  let length = 0;
  for (const part of all) length += part.length;
  // Not from the pool: the event may be held by many subscribers, and would hold its neighbours in the pool too.
  const frame = Buffer.allocUnsafeSlow(length);
  let at = 0;
  for (const part of all) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

/** The position that an event id stands for; undefined where it is none of ours. */
export function positionOf(eventId: string): Position | undefined {
  const position: Record<string, number> = {};
  const entries = eventId.split(',');
  if (entries.length > MAX_EPOCHS) return undefined;
  for (const entry of entries) {
    const [epoch = '', digits = '', ...more] = entry.split(':');
    const rev = Number(digits);
    if (more.length > 0 || !EPOCH.test(epoch) || !/^\d{1,16}$/.test(digits) || !Number.isSafeInteger(rev))
      return undefined;
    position[epoch] = rev;
  }
  return position;
}

function eventId(parts: readonly Uint8Array[]): string {
  const [text] = parts;
  if (text === undefined || !TELL_POSITION.some((head) => startsWith(text, head))) return '';
  // What the encoder made is JSON.
  const message = JSON.parse(new TextDecoder().decode(text)) as Json;
  const payload = isJsonObject(message) ? message.payload : undefined;
  const position = isJsonObject(payload) ? payload.position : undefined;
  if (!isJsonObject(position)) return '';
  const entries = Object.entries(position).map(([epoch, rev]) => `${epoch}:${String(rev)}`);
  return entries.every((entry) => positionOf(entry) !== undefined) ? `id: ${entries.join(',')}\n` : '';
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return head.every((byte, index) => bytes[index] === byte);
}
