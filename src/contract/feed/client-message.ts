import { readFields } from './client-fields.ts';
import type { FeedError, FeedErrorCode } from './feed-error.ts';
import { infinitePlace, isFiniteNumber, isJsonObject, type Json, type JsonObject, ownValue } from './json.ts';
import { surveyJson } from './json-scan.ts';
import type { Position } from './position.ts';

/** What a client asks for, checked. `id` names it in replies. */
export type ClientMessage = { readonly id?: string } & ClientRequest;

export type ClientRequest =
  | { readonly type: 'auth'; readonly token: string }
  | {
      readonly type: 'subscribe';
      readonly topics: readonly string[];
      readonly jsonPing?: boolean;
      readonly since?: Position;
      readonly maxHz?: number;
      readonly ack?: boolean;
    }
  | { readonly type: 'unsubscribe'; readonly topics: readonly string[] }
  | { readonly type: 'resync'; readonly topics: readonly string[] }
  /** `timestamp` is what the pong must echo. */
  | { readonly type: 'ping'; readonly timestamp?: number }
  | { readonly type: 'pong' }
  | { readonly type: 'echo'; readonly data: Json }
  | { readonly type: 'get_clients' }
  | { readonly type: 'broadcast'; readonly data: Json }
  | {
      readonly type: 'command';
      readonly device: string;
      readonly message: string;
      readonly fields: JsonObject;
      readonly timeoutMs?: number;
      /** The outcome is told with `ack_required`, and again until it is acknowledged. */
      readonly ack?: boolean;
    }
  | { readonly type: 'ack'; readonly ids: readonly string[] }
  | { readonly type: 'resume'; readonly session: string }
  | { readonly type: 'kick'; readonly clientId: string };

export type ParsedClientMessage =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly error: FeedError };

const ENVELOPE_KEYS: ReadonlySet<string> = new Set(['type', 'id', 'timestamp', 'payload']);
const MAX_ID_LENGTH = 128;
/** What nests deeper could be parsed, and then not be written again. */
const MAX_NESTING = 64;

/** A problem with one message; `readFields` returns it instead of a request. */
export interface Problem {
  readonly code: FeedErrorCode;
  readonly message: string;
}

/** Reads one text message of a client strictly: what is not understood is an error, never ignored. */
export function parseClientMessage(text: string): ParsedClientMessage {
  const survey = surveyJson(text, MAX_NESTING);
  if (survey === 'too_deep') {
    return failed({ code: 'bad_json', message: `The message nests deeper than ${MAX_NESTING} levels.` });
  }
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    return failed({ code: 'bad_json', message: `The message is not JSON: ${detail}` });
  }
  if (!isJsonObject(json)) {
    return failed({ code: 'bad_json', message: 'A message is a JSON object: {"type": "...", ...}.' });
  }
  const id = ownValue(json, 'id');
  if (id !== undefined && !(typeof id === 'string' && id !== '' && id.length <= MAX_ID_LENGTH)) {
    return failed({
      code: 'bad_field',
      message: `"id" must be a string of 1 to ${MAX_ID_LENGTH} characters.`,
    });
  }
  const type = ownValue(json, 'type');
  if (typeof type !== 'string') {
    return failed({ code: 'bad_field', message: '"type" must say what the message is, as a string.' }, id);
  }
  const timestamp = ownValue(json, 'timestamp');
  if (timestamp !== undefined && !isFiniteNumber(timestamp)) {
    return failed(
      { code: 'bad_field', message: '"timestamp" must be a number: ms since the Unix epoch.' },
      id,
    );
  }
  const payload = payloadOf(json);
  if ('code' in payload) return failed(payload, id);
  const request = readFields(type, payload.value, timestamp);
  if ('code' in request) {
    return failed(request, id, request.code === 'unknown_type' ? type.slice(0, MAX_ID_LENGTH) : undefined);
  }
  const place = survey === 'huge_numbers' ? infinitePlace(payload.value) : undefined;
  if (place !== undefined) {
    const where = (place.join('.') || 'payload').slice(0, MAX_ID_LENGTH);
    return failed(
      { code: 'bad_field', message: `"${where}" is a number that is too large: above 1.79e308.` },
      id,
    );
  }
  return { ok: true, message: id === undefined ? request : { id, ...request } };
}

/** Without a `payload` the other top-level keys are the payload, so that messages can be typed by hand. */
function payloadOf(envelope: JsonObject): Problem | { readonly value: Json } {
  const others = Object.keys(envelope).filter((key) => !ENVELOPE_KEYS.has(key));
  const payload = ownValue(envelope, 'payload');
  if (payload === undefined) return { value: Object.fromEntries(others.map((key) => [key, envelope[key]])) };
  const [stray] = others;
  if (stray !== undefined) {
    return { code: 'bad_field', message: `"${stray}" stands beside "payload"; it belongs inside it.` };
  }
  return { value: payload };
}

function failed(problem: Problem, replyTo?: string, receivedType?: string): ParsedClientMessage {
  return {
    ok: false,
    error: {
      ...(replyTo === undefined ? {} : { reply_to: replyTo }),
      code: problem.code,
      ...(receivedType === undefined ? {} : { received_type: receivedType }),
      message: problem.message,
      retry: false,
    },
  };
}
