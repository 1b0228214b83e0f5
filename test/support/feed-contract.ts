import { FEED_ERROR_CODES } from '../../src/contract/feed/feed-error.ts';
import {
  SERVER_MESSAGES,
  type ServerMessageType,
  serverMessageSchema,
} from '../../src/contract/feed/server-messages.ts';
import { TOPICS } from '../../src/contract/feed/topic-documents.ts';
import { matchesTopic } from '../../src/contract/wire/topic.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { schemaProblems } from './schema-check.ts';

const CODES: ReadonlySet<unknown> = new Set([...Object.keys(FEED_ERROR_CODES), ...Object.keys(ERROR_CODES)]);

/** Throws where a message of a server is not as `schemas/asyncapi.json` says, down to the last key. */
export function checkServerMessage(message: { readonly type: string; readonly payload?: object }): void {
  const known = Object.keys(SERVER_MESSAGES) as ServerMessageType[];
  const type = known.find((each) => each === message.type);
  const problems =
    type === undefined
      ? [`unknown type ${message.type}`]
      : schemaProblems(serverMessageSchema(type), message, true);
  const code = message.type === 'error' ? codeOf(message.payload) : undefined;
  if (code !== undefined && !CODES.has(code)) problems.push(`${code} is no documented code`);
  if (problems.length > 0) throw new Error(`not as the schemas say:\n${problems.join('\n')}`);
}

const SCHEMAS = TOPICS.map(({ address, document }) => ({
  pattern: address.replace(/\{\w+\}/g, '+'),
  schema: document(),
}));

/** Throws where what a topic of a bridge holds is not as `schemas/asyncapi.json` says. */
export function checkTopicDocument(topic: string, document: unknown): void {
  const schema = SCHEMAS.find(({ pattern }) => matchesTopic(pattern, topic))?.schema;
  if (isSealed(document)) return;
  const problems = schema === undefined ? ['no such topic'] : schemaProblems(schema, document, true);
  if (problems.length > 0) throw new Error(`${topic} is not as the schemas say:\n${problems.join('\n')}`);
}

const isSealed = (document: unknown): boolean =>
  typeof document === 'object' && document !== null && Object.keys(document).join() === '$jwe';

const codeOf = (payload: object | undefined): unknown =>
  payload !== undefined && 'code' in payload ? payload.code : undefined;
