import { describe, expect, it } from 'vitest';
import { asyncApi, asyncApiText } from '../../../src/contract/feed/async-api.ts';
import { clientSchemas } from '../../../src/contract/feed/client-schemas.ts';
import { SERVER_MESSAGES } from '../../../src/contract/feed/server-messages.ts';
import { TOPICS } from '../../../src/contract/feed/topic-documents.ts';
import { CLOSE_CODES } from '../../../src/contract/wire/close-code.ts';
import { readProjectFile } from '../../support/project-files.ts';

const CLIENT_SCHEMAS = clientSchemas();

type Node = { readonly [key: string]: Node };

// A round trip, so that the test sees what a reader of the file sees.
const document = JSON.parse(JSON.stringify(asyncApi())) as Node;

function at(path: string): Node | undefined {
  return path
    .replace(/^#\//, '')
    .split('/')
    .reduce<Node | undefined>((node, key) => node?.[key.replaceAll('~1', '/')], document);
}

function* nodes(node: unknown): Generator<Node> {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) yield node as Node;
  for (const each of Object.values(node)) yield* nodes(each);
}

describe('the AsyncAPI document', () => {
  it('is the one that is shipped', () => {
    expect(readProjectFile('schemas/asyncapi.json')).toBe(asyncApiText());
  });

  it('has what AsyncAPI 3 asks for, and no key that it does not know', () => {
    const allowed = [
      'asyncapi',
      'id',
      'info',
      'defaultContentType',
      'servers',
      'channels',
      'operations',
      'components',
    ];
    expect(Object.keys(document).filter((key) => !allowed.includes(key))).toEqual([]);
    expect(document.asyncapi).toBe('3.0.0');
    expect(document.info).toMatchObject({ title: expect.any(String), version: '1.0.0' });
    for (const server of Object.values(document.servers ?? {})) {
      expect(server).toMatchObject({ host: expect.any(String), protocol: expect.any(String) });
    }
    const keys: Readonly<Record<string, readonly string[]>> = {
      channels: ['address', 'messages', 'title', 'summary', 'description', 'servers', 'parameters', 'tags'],
      operations: ['action', 'channel', 'title', 'summary', 'description', 'security', 'messages', 'reply'],
    };
    for (const [part, known] of Object.entries(keys)) {
      for (const each of Object.values(document[part] ?? {})) {
        expect(Object.keys(each).filter((key) => !known.includes(key))).toEqual([]);
      }
    }
    const message = [
      'name',
      'title',
      'summary',
      'description',
      'contentType',
      'payload',
      'headers',
      'correlationId',
    ];
    for (const each of Object.values(document.components?.messages ?? {})) {
      expect(Object.keys(each).filter((key) => !message.includes(key))).toEqual([]);
    }
    // Names in maps have a grammar of their own.
    for (const part of ['servers', 'channels', 'operations', 'components/messages', 'components/schemas']) {
      for (const key of Object.keys(at(part) ?? {})) expect(key).toMatch(/^[A-Za-z0-9_-]+$/);
    }
  });

  it('points only to what is there', () => {
    const targets = [...nodes(document)].map(({ $ref }) => $ref).filter((each) => typeof each === 'string');
    expect(targets.length).toBeGreaterThan(100);
    expect(targets.filter((target) => at(String(target)) === undefined)).toEqual([]);
  });

  it('has operations whose messages are those of their channel', () => {
    for (const operation of Object.values(document.operations ?? {})) {
      expect(['send', 'receive']).toContain(operation.action);
      for (const { channel, messages } of [operation, operation.reply].filter((each) => each !== undefined)) {
        for (const { $ref } of Object.values(messages ?? {})) {
          expect(String($ref).startsWith(`${channel?.$ref}/messages/`)).toBe(true);
        }
      }
    }
  });

  it('names every parameter of an address, and no other', () => {
    for (const { address, parameters } of Object.values(document.channels ?? {})) {
      const named = [...String(address).matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(parameters ?? {})).toEqual(named);
    }
  });

  it('has every message, topic and close code', () => {
    const types = [
      ...Object.keys(SERVER_MESSAGES).map((type) => `server_${type}`),
      ...CLIENT_SCHEMAS.map(({ type }) => `client_${type}`),
    ];
    expect(Object.keys(at('#/channels/feed/messages') ?? {}).sort()).toEqual(types.sort());
    const closes = JSON.parse(JSON.stringify(at('#/info/x-close-codes'))) as { reason: string }[];
    expect(closes.map(({ reason }) => reason)).toEqual(Object.keys(CLOSE_CODES));
    const documented = readProjectFile('docs/reference/feed.md').matchAll(
      /^\| `([a-z]+(?:\/[a-z<>]+)*)` \| (state|event) \|/gm,
    );
    const addresses = [...documented].map(([, topic = '']) =>
      topic
        .replace('buses/<id>', 'buses/{bus}')
        .replace('<id>', '{device}')
        .replace(/<(key|instance)>/, '{$1}'),
    );
    expect(addresses.length).toBeGreaterThan(6);
    expect(TOPICS.map(({ address }) => address).sort()).toEqual(addresses.sort());
  });
});
