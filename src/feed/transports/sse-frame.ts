import type { ServerMessageType } from '../../contract/feed/index.ts';
import { isJsonObject, type Json, type Position } from '../../contract/wire/index.ts';
import type { TextPart } from '../core/encoder.ts';
import { frameAround, textLength } from './text-parts.ts';

/** The beginnings of messages with a position. */
const WITH_POSITION = (['synced', 'position'] satisfies readonly ServerMessageType[]).map(
  (type) => `{"type":"${type}",`,
);
const EPOCH = /^[A-Za-z0-9_-]{1,128}$/;
const MAX_EPOCHS = 64;

/** A comment: it shows proxies and the operating system that the connection is in use, and is no event. */
export const HEARTBEAT_COMMENT: Uint8Array = Buffer.from(': heartbeat\n\n');

/**
 * One JSON text, given in parts, as a server-sent event. A browser sends the last `id` when it comes back, so only
 * events with a position have one; it stands for all events since.
 */
export function sseFrame(parts: readonly TextPart[]): Uint8Array {
  const event = [`${eventId(parts)}data: `, ...parts, '\n\n'];
  return frameAround(event, 0, textLength(event));
}

/** The position that an event id stands for; undefined where this server made no such id. */
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

function eventId(parts: readonly TextPart[]): string {
  const [text] = parts;
  if (typeof text !== 'string' || !WITH_POSITION.some((head) => text.startsWith(head))) return '';
  // What the encoder made is JSON.
  const message = JSON.parse(text) as Json;
  const payload = isJsonObject(message) ? message.payload : undefined;
  const position = isJsonObject(payload) ? payload.position : undefined;
  if (!isJsonObject(position)) return '';
  const entries = Object.entries(position).map(([epoch, rev]) => `${epoch}:${String(rev)}`);
  return entries.every((entry) => positionOf(entry) !== undefined) ? `id: ${entries.join(',')}\n` : '';
}
