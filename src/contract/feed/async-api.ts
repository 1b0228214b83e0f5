import { CLOSE_CODES, mayReconnect } from '../wire/index.ts';
import { type ClientMessageType, clientMessageContract } from './client-messages.ts';
import { clientSchemas } from './client-schemas.ts';
import type { Schema } from './json-schema.ts';
import {
  PROTOCOL_VERSION,
  SERVER_MESSAGE_TYPES,
  type ServerMessageType,
  serverMessageContract,
  serverMessageSchema,
} from './server-messages.ts';
import { TOPICS, type TopicContract } from './topic-documents.ts';

type Node = { readonly [key: string]: unknown };

/** Which messages of the server tell what a topic holds. */
const CARRIERS: Readonly<Record<TopicContract['kind'], readonly ServerMessageType[]>> = {
  state: ['snapshot', 'update'],
  event: ['event', 'gap'],
  broadcast: ['broadcast'],
};
const DESCRIPTION = `Devices at serial lines and TCP, live, for any number of subscribers.

Every message is one JSON object \`{"type", "id", "timestamp", "payload"}\`, over a WebSocket at \`/ws\`, as one line over TCP, or (of the bridge only) as a server-sent event at \`/api/feed\`. A client may leave out \`id\` and \`timestamp\`, and may write the keys of \`payload\` beside \`type\` instead. A key that a message of a client does not have is an error; a client ignores keys that it does not know.

A subscription names patterns of topics. The channels whose address is a topic say what that topic holds: a retained document comes as \`snapshot\` and \`update\`, anything else as \`event\` or \`broadcast\`, all of them over the channel \`feed\`.

Directions are those of the bridge: it sends what a client receives.`;

/** What stands for a document that only those may read who hold a key. */
const SEALED: Schema = {
  type: 'object',
  required: ['$jwe'],
  properties: { $jwe: { type: 'string', description: 'A JWE in compact form.' } },
  additionalProperties: false,
  description: 'Where devices.yaml says that the topic is encrypted.',
};

/** The AsyncAPI 3 document of the feed, made from the schemas of its messages. */
export function asyncApi(): Node {
  const fromClients = clientSchemas();
  return {
    asyncapi: '3.0.0',
    id: 'urn:heartwire:feed',
    info: {
      title: 'Heartwire feed',
      version: `${PROTOCOL_VERSION}.0.0`,
      description: DESCRIPTION,
      license: { name: 'MIT' },
      'x-close-codes': Object.entries(CLOSE_CODES).map(([reason, { code }]) => ({
        code,
        reason,
        reconnect: mayReconnect(code),
      })),
    },
    defaultContentType: 'application/json',
    servers: {
      websocket: {
        host: '127.0.0.1:8080',
        protocol: 'ws',
        description: 'WebSocket; `/ws/<client_id>` to be known by a name.',
        security: [{ $ref: '#/components/securitySchemes/bearer' }],
      },
      jsonLines: {
        host: '127.0.0.1:8081',
        protocol: 'tcp',
        description: 'One JSON object a line.',
        security: [{ $ref: '#/components/securitySchemes/firstMessage' }],
      },
    },
    channels: {
      feed: {
        address: '/ws',
        description: 'One connection, everything over it.',
        messages: Object.fromEntries([
          ...SERVER_MESSAGE_TYPES.map((type) => [serverName(type), ref('messages', serverName(type))]),
          ...fromClients.map(({ type }) => [clientName(type), ref('messages', clientName(type))]),
        ]),
      },
      ...Object.fromEntries(TOPICS.map((topic) => [topic.name, topicChannel(topic)])),
    },
    operations: {
      ...Object.fromEntries(SERVER_MESSAGE_TYPES.map((type) => [`send_${type}`, sendOperation(type)])),
      ...Object.fromEntries(
        fromClients.map(({ type, summary }) => [`receive_${type}`, receiveOperation(type, summary)]),
      ),
      ...Object.fromEntries(TOPICS.map((topic) => [`tell_${topic.name}`, topicOperation(topic)])),
    },
    components: {
      messages: Object.fromEntries([
        ...SERVER_MESSAGE_TYPES.map((type) => [serverName(type), serverMessage(type)]),
        ...fromClients.map(({ type, summary, schema }) => [
          clientName(type),
          { name: type, title: type, summary, contentType: 'application/json', payload: schema },
        ]),
        ...TOPICS.map((topic) => [topic.name, topicMessage(topic)]),
      ]),
      schemas: Object.fromEntries([
        ...TOPICS.map(({ name, document }) => [name, document()]),
        ['sealed', SEALED],
      ]),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'Where a token is required: in the header, or as the first message.',
        },
        firstMessage: { type: 'userPassword', description: 'A token in the message `auth`, the first one.' },
      },
    },
  };
}

/** The document as the file `schemas/asyncapi.json` holds it, and as it is served at `/asyncapi.json`. */
export function asyncApiText(): string {
  text ??= `${JSON.stringify(asyncApi(), null, 2)}\n`;
  return text;
}

/** It never changes; made when it is first asked for. */
let text: string | undefined;

const serverName = (type: string) => `server_${type}`;
const clientName = (type: string) => `client_${type}`;
const ref = (kind: string, name: string): Node => ({ $ref: `#/components/${kind}/${name}` });
const onFeed = (name: string): Node => ({ $ref: `#/channels/feed/messages/${name}` });

function serverMessage(type: ServerMessageType): Node {
  const { summary } = serverMessageContract(type);
  const payload = serverMessageSchema(type);
  return { name: type, title: type, summary, contentType: 'application/json', payload };
}

function topicMessage({ name, summary, kind }: TopicContract): Node {
  const holds = { state: 'the document', event: '`data` of the event', broadcast: '`data` of the broadcast' };
  const carried = CARRIERS[kind].map((type) => `\`${type}\``).join(' and ');
  return {
    name,
    title: name,
    summary,
    description: `This is ${holds[kind]}; it comes in ${carried} over the channel \`feed\`.`,
    contentType: 'application/json',
    payload: { anyOf: [ref('schemas', name), ref('schemas', 'sealed')] },
  };
}

/** What stands in braces in the address of a topic. */
const PARAMETERS = [
  ['device', 'The id of the device.'],
  ['bus', 'The id of the bus.'],
  ['key', 'As `declaration` in the state of a device.'],
  ['instance', 'The name of the instance.'],
] as const;

function topicChannel({ name, address, summary }: TopicContract): Node {
  const named = PARAMETERS.filter(([name]) => address.includes(`{${name}}`));
  const parameters =
    named.length === 0
      ? {}
      : { parameters: Object.fromEntries(named.map(([name, description]) => [name, { description }])) };
  return { address, summary, ...parameters, messages: { [name]: ref('messages', name) } };
}

function topicOperation({ name, summary }: TopicContract): Node {
  return {
    action: 'send',
    channel: { $ref: `#/channels/${name}` },
    summary,
    messages: [{ $ref: `#/channels/${name}/messages/${name}` }],
  };
}

function sendOperation(type: ServerMessageType): Node {
  return {
    action: 'send',
    channel: { $ref: '#/channels/feed' },
    summary: serverMessageContract(type).summary,
    messages: [onFeed(serverName(type))],
  };
}

function receiveOperation(type: ClientMessageType, summary: string): Node {
  const { replies } = clientMessageContract(type);
  const reply =
    replies.length === 0
      ? {}
      : {
          reply: {
            channel: { $ref: '#/channels/feed' },
            messages: [...replies, 'error'].map((each) => onFeed(serverName(each))),
          },
        };
  return {
    action: 'receive',
    channel: { $ref: '#/channels/feed' },
    summary,
    messages: [onFeed(clientName(type))],
    ...reply,
  };
}
