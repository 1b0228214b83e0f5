import type { ClientRequest, Problem } from './client-message.ts';
import { isFiniteNumber, isJsonObject, type Json, type JsonObject } from './json.ts';
import { patternProblem, topicProblem } from './topic.ts';

type Reader = (payload: Json, timestamp: number | undefined) => ClientRequest | Problem;

/** Topics whose documents are asked for anew in one message at most. */
const MAX_RESYNC = 256;
const MAX_TIMEOUT_MS = 600_000;
const MAX_ACKS = 256;
const MAX_EPOCHS = 64;
const MAX_TOKEN_LENGTH = 16 * 1024;
const LOWEST_HZ = 0.01;
const HIGHEST_HZ = 1_000;

const READERS: Readonly<Record<ClientRequest['type'], Reader>> = {
  auth: withKeys(['token'], ({ token }) =>
    typeof token === 'string' && token !== '' && token.length <= MAX_TOKEN_LENGTH
      ? { type: 'auth', token }
      : badField(`"token" must be the token, a string of at most ${MAX_TOKEN_LENGTH} characters.`),
  ),
  subscribe: withKeys(['topics', 'json_ping', 'ack', 'since', 'max_hz'], (payload) => {
    const topics = readTopics(payload.topics, patternProblem);
    if ('code' in topics) return topics;
    const { since, max_hz: maxHz, ack, json_ping: jsonPing } = payload;
    if (jsonPing !== undefined && typeof jsonPing !== 'boolean')
      return badField('"json_ping" must be true or false.');
    if (ack !== undefined && typeof ack !== 'boolean') return badField('"ack" must be true or false.');
    if (maxHz !== undefined && !(typeof maxHz === 'number' && maxHz >= LOWEST_HZ && maxHz <= HIGHEST_HZ)) {
      return badField(`"max_hz" must be a number from ${LOWEST_HZ} to ${HIGHEST_HZ}.`);
    }
    if (since !== undefined && !isPosition(since)) {
      return badField('"since" must be a position: {"<epoch>": <rev>}, as "synced" and "position" tell it.');
    }
    return {
      type: 'subscribe',
      topics,
      ...(jsonPing === undefined ? {} : { jsonPing }),
      ...(since === undefined ? {} : { since }),
      ...(maxHz === undefined ? {} : { maxHz }),
      ...(ack === undefined ? {} : { ack }),
    };
  }),
  unsubscribe: withKeys(['topics'], (payload) => {
    const topics = readTopics(payload.topics, patternProblem);
    return 'code' in topics ? topics : { type: 'unsubscribe', topics };
  }),
  resync: withKeys(['topics'], (payload) => {
    const topics = readTopics(payload.topics, topicProblem);
    if ('code' in topics) return topics;
    if (topics.length > MAX_RESYNC) return badField(`"topics" may name at most ${MAX_RESYNC} at once.`);
    return { type: 'resync', topics };
  }),
  ping: withKeys(['timestamp'], (payload, timestamp) => {
    const echoed = payload.timestamp ?? timestamp;
    if (echoed === undefined) return { type: 'ping' };
    return isFiniteNumber(echoed)
      ? { type: 'ping', timestamp: echoed }
      : badField('"timestamp" must be a number.');
  }),
  pong: withKeys(['timestamp', 'server_time', 'reply_to'], () => ({ type: 'pong' })),
  echo: (payload) => ({ type: 'echo', data: payload }),
  get_clients: withKeys([], () => ({ type: 'get_clients' })),
  broadcast: withKeys(['data'], (payload) =>
    payload.data === undefined
      ? badField('"data" is missing: what to broadcast, any JSON.')
      : { type: 'broadcast', data: payload.data },
  ),
  command: withKeys(['device', 'message', 'fields', 'timeout_ms', 'ack'], (payload) => {
    const { device, message, fields = {}, timeout_ms: timeoutMs, ack } = payload;
    if (typeof device !== 'string' || device === '') return badField('"device" must name a device.');
    if (typeof message !== 'string' || message === '') return badField('"message" must name a message.');
    if (!isJsonObject(fields)) return badField('"fields" must be an object.');
    if (ack !== undefined && typeof ack !== 'boolean') return badField('"ack" must be true or false.');
    const command = {
      type: 'command',
      device,
      message,
      fields,
      ...(ack === undefined ? {} : { ack }),
    } as const;
    if (timeoutMs === undefined) return command;
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) {
      return badField(`"timeout_ms" must be a number from 1 to ${MAX_TIMEOUT_MS}.`);
    }
    return { ...command, timeoutMs };
  }),
  ack: withKeys(['ids'], ({ ids }) => {
    const fine =
      Array.isArray(ids) && ids.length <= MAX_ACKS && ids.every((id: Json) => typeof id === 'string');
    return fine
      ? { type: 'ack', ids: ids.map(String) }
      : badField(`"ids" must be a list of at most ${MAX_ACKS} strings.`);
  }),
  resume: withKeys(['session'], ({ session }) =>
    typeof session === 'string' && session !== ''
      ? { type: 'resume', session }
      : badField('"session" must be the secret that a "welcome" gave.'),
  ),
  kick: withKeys(['client_id'], ({ client_id: clientId }) =>
    typeof clientId === 'string' && clientId !== ''
      ? { type: 'kick', clientId }
      : badField('"client_id" must name a client, as "get_clients" lists them.'),
  ),
};

/** Checks the payload of one type of message. */
export function readFields(
  type: string,
  payload: Json,
  timestamp: number | undefined,
): ClientRequest | Problem {
  if (!isRequestType(type)) {
    const known = Object.keys(READERS).join(', ');
    return { code: 'unknown_type', message: `There is no message of this type; known are ${known}.` };
  }
  return READERS[type](payload, timestamp);
}

function isRequestType(type: string): type is ClientRequest['type'] {
  return Object.hasOwn(READERS, type);
}

/** Admits an object with these keys and no others. */
function withKeys(
  allowed: readonly string[],
  read: (payload: JsonObject, timestamp: number | undefined) => ClientRequest | Problem,
): Reader {
  return (payload, timestamp) => {
    if (!isJsonObject(payload)) return badField('"payload" must be an object.');
    const stray = Object.keys(payload).find((key) => !allowed.includes(key));
    if (stray !== undefined) {
      const list = allowed.length === 0 ? 'none are expected' : `known are ${allowed.join(', ')}`;
      return badField(`"${stray.slice(0, 64)}" is not a field of this message; ${list}.`);
    }
    return read(payload, timestamp);
  };
}

function readTopics(
  value: Json | undefined,
  problemOf: (topic: string) => string | undefined,
): readonly string[] | Problem {
  if (!Array.isArray(value) || value.length === 0) {
    return badField('"topics" must be a list of one or more strings.');
  }
  const topics = new Set<string>();
  for (const topic of value as readonly Json[]) {
    if (typeof topic !== 'string') return badField('"topics" must be a list of strings.');
    const problem = problemOf(topic);
    if (problem !== undefined) return { code: 'bad_topic', message: `${problem}.` };
    topics.add(topic);
  }
  return [...topics];
}

function isPosition(value: Json): value is Record<string, number> {
  if (!isJsonObject(value)) return false;
  const revs = Object.values(value);
  return revs.length <= MAX_EPOCHS && revs.every((rev) => Number.isSafeInteger(rev) && Number(rev) >= 0);
}

function badField(message: string): Problem {
  return { code: 'bad_field', message };
}
