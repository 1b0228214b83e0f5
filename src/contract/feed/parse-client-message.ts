import {
  infinitePlace,
  isFiniteNumber,
  isJsonObject,
  type Json,
  type JsonObject,
  ownValue,
} from '../wire/index.ts';
import {
  CLIENT_MESSAGE_TYPES,
  type ClientMessage,
  type ClientMessageType,
  type ClientRequest,
  clientMessageContract,
  isClientMessageType,
  payloadObject,
} from './client-messages.ts';
import type { FeedErrorCode } from './feed-error.ts';
import { surveyJson } from './json-scan.ts';
import type { FeedError } from './server-messages.ts';

export type ParsedClientMessage =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly error: FeedError };

const ENVELOPE_KEYS: ReadonlySet<string> = new Set(['type', 'id', 'timestamp', 'payload']);
/** Characters of the `id` of a message. */
export const MAX_ID_LENGTH = 128;
/** What nests deeper could be parsed, and then not be written again. */
const MAX_NESTING = 64;

/** What is wrong with one message. */
interface Problem {
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

/** Checks the payload of one type of message. */
function readFields(type: string, payload: Json, timestamp: number | undefined): ClientRequest | Problem {
  if (!isClientMessageType(type)) {
    const known = CLIENT_MESSAGE_TYPES.join(', ');
    return { code: 'unknown_type', message: `There is no message of this type; known are ${known}.` };
  }
  const { fields } = clientMessageContract(type);
  const keys = KEYS[type];
  if (fields === undefined || keys === undefined) return { type: 'echo', data: payload };
  if (!isJsonObject(payload)) return badField('"payload" must be an object.');
  const stray = Object.keys(payload).find((key) => !keys.includes(key));
  if (stray !== undefined) {
    const list = keys.length === 0 ? 'none are expected' : `known are ${keys.join(', ')}`;
    return badField(`"${stray.slice(0, 64)}" is not a field of this message; ${list}.`);
  }
  // The envelope's `timestamp` is the message's own where it has one.
  const own = keys.includes('timestamp') ? (payload.timestamp ?? timestamp) : undefined;
  const given = own === undefined ? payload : { ...payload, timestamp: own };
  const read = fields.safeParse(given);
  if (read.success) {
    // The table pairs each type with the schema of its fields, which the compiler cannot see by index.
    return { type, ...read.data } as ClientRequest;
  }
  const [issue] = read.error.issues;
  const code = issue?.code === 'custom' && issue.params?.code === 'bad_topic' ? 'bad_topic' : 'bad_field';
  return { code, message: issue?.message ?? 'The payload is not as expected.' };
}

/** The keys of each payload; undefined where it may be anything. */
const KEYS: Readonly<Partial<Record<ClientMessageType, readonly string[]>>> = Object.fromEntries(
  CLIENT_MESSAGE_TYPES.map((type) => {
    const object = payloadObject(type);
    return [type, object && Object.keys(object.shape)];
  }),
);

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

function badField(message: string): Problem {
  return { code: 'bad_field', message };
}
