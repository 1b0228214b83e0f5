import type { JsonObject } from '../contract/publisher.ts';
import type { Values } from '../protocol/declared/value.ts';
import type { InvalidPayload, Message } from '../protocol/message.ts';

/** Bytes as JSON: base64, and how many they are. */
export function bytesAsJson(bytes: Uint8Array): JsonObject {
  const { buffer, byteOffset, byteLength } = bytes;
  return { $bytes: Buffer.from(buffer, byteOffset, byteLength).toString('base64'), len: byteLength };
}

/**
 * A message of a device as an event on `devices/<id>/messages`; `at` in ms since the epoch. `group`: where the values are
 * in the state, where that is not the message's name.
 */
export function messageEvent(
  message: Message | InvalidPayload,
  at: number,
  mark?: string,
  group?: string,
): JsonObject {
  if (message.name === 'declared' && message.kind !== 'reply' && mark === undefined) {
    const { message: name, kind, fields, raw, issues } = message;
    // Nearly all that devices say comes by here; parts that are put together one by one cost as much as all the rest.
    if (issues.length === 0) {
      return isEmpty(raw) ? { at, message: name, kind, fields } : { at, message: name, kind, fields, raw };
    }
  }
  const head = { at, ...(mark === undefined ? {} : { [mark]: true }) };
  if (message.name === 'invalid') {
    const { name: _, message: name, kind, payload, ...invalid } = message;
    const bytes = payload === undefined ? {} : { payload: bytesAsJson(payload) };
    return { ...head, message: name, kind, invalid, ...bytes };
  }
  if (message.name === 'unknown') {
    const { id, answers, payload } = message;
    return {
      ...head,
      message: 'unknown',
      ...(id === undefined ? {} : { id }),
      ...(answers === undefined ? {} : { kind: 'reply', answers }),
      payload: bytesAsJson(payload),
    };
  }
  if (message.name === 'echo') return { ...head, message: 'echo', payload: bytesAsJson(message.payload) };
  if (message.name === 'declared') {
    const { message: name, kind, fields, raw, issues } = message;
    const { errorName } = message.kind === 'reply' ? message : {};
    return {
      ...head,
      message: name,
      ...(group === undefined ? {} : { as: group }),
      kind,
      ...(message.kind === 'reply' ? { error: message.error } : {}),
      ...(errorName === undefined ? {} : { error_name: errorName }),
      fields,
      ...(isEmpty(raw) ? {} : { raw }),
      ...(issues.length === 0 ? {} : { issues: issues.map((issue) => ({ ...issue })) }),
    };
  }
  const fields = 'fields' in message ? { fields: { ...message.fields } } : {};
  const error = message.kind === 'reply' ? { error: message.error } : {};
  return { ...head, message: message.name, kind: message.kind, ...error, ...fields };
}

function isEmpty(values: Values): boolean {
  for (const _ in values) return false;
  return true;
}
