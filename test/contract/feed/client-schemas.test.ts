import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientSchemas } from '../../../src/contract/feed/client-schemas.ts';
import type { Schema } from '../../../src/contract/feed/json-schema.ts';
import { parseClientMessage } from '../../../src/contract/feed/parse-client-message.ts';
import { schemaProblems } from '../../support/schema-check.ts';

const CLIENT_SCHEMAS = clientSchemas();

const TYPES = CLIENT_SCHEMAS.map(({ type }) => type);

/** Whether the schemas admit it; whether the parser does is another matter, which this test is about. */
function admitted(message: unknown): boolean {
  const type =
    typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined;
  const schema = CLIENT_SCHEMAS.find((each) => each.type === type)?.schema;
  return schema !== undefined && schemaProblems(schema, message).length === 0;
}

const parsed = (message: unknown) => parseClientMessage(JSON.stringify(message)).ok;

/** Anything, and what is nearly right: the very strings and numbers at which something changes. */
const something = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.constantFrom('', 'a', 'devices/+/state', 'a//b', '#', '#/a', 'a+', '1/2/3/4/5/6/7/8/9'),
  },
  fc.constantFrom(0, 0.009, 0.01, 1, 1_000, 1_001, 600_000, 600_001, -1, 1.5, 2 ** 53),
  fc.constantFrom(null, true, 'x'.repeat(128), 'x'.repeat(129), 'x'.repeat(512), 'x'.repeat(513)),
  fc.array(fc.constantFrom<unknown>('a', 'devices/#', 'a/#/b', '', 7, 'q+'), { maxLength: 3 }),
  fc.constant(Array.from({ length: 257 }, (_, at) => `t${at}`)),
  fc.dictionary(fc.constantFrom('e1', 'e2', 'a'), fc.constantFrom<unknown>(0, 7, -1, 0.5, 'x', null), {
    maxKeys: 2,
  }),
  fc.jsonValue({ maxDepth: 2 }),
);
const KEYS = [
  ...new Set(CLIENT_SCHEMAS.flatMap(({ schema }) => (schema.anyOf ?? []).flatMap((way) => keysOf(way)))),
  'stray',
  '__proto__x',
].filter((key) => key !== 'type' && key !== 'payload');

function keysOf({ properties = {} }: Schema): readonly string[] {
  const { payload, ...own } = properties;
  return [...Object.keys(own), ...(payload === undefined ? [] : keysOf(payload))];
}

const payload = fc.dictionary(fc.constantFrom(...KEYS), something, { maxKeys: 4 });

/** A message that the schema admits, by the schema alone. */
function fromSchema(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(fromSchema));
  if (schema.oneOf !== undefined) {
    const { oneOf, properties = {}, required = [], ...rest } = schema;
    // Each alternative demands keys that none of the others may have.
    const wanted = oneOf.map((each) => each.required ?? []);
    const alternatives = wanted.map((keys) => {
      const others = new Set(wanted.flat().filter((key) => !keys.includes(key)));
      const kept = Object.entries(properties).filter(([key]) => !others.has(key));
      return { ...rest, properties: Object.fromEntries(kept), required: [...required, ...keys] };
    });
    return fc.oneof(...alternatives.map(fromSchema));
  }
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern, 'u')).filter(isShort);
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  switch (type) {
    case undefined:
      return fc.jsonValue({ maxDepth: 3 });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return fc.string({ minLength: schema.minLength ?? 0, maxLength: Math.min(schema.maxLength ?? 20, 20) });
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 2 ** 31 });
    case 'number':
      return fc.double({ min: schema.minimum ?? -1e9, max: schema.maximum ?? 1e9, noNaN: true });
    case 'array':
      return fc.array(fromSchema(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 4 });
    case 'object': {
      const { properties = {}, required = [], additionalProperties } = schema;
      if (schema.properties === undefined)
        return fc.dictionary(
          fc.string({ minLength: 1, maxLength: 5 }),
          fromSchema(typeof additionalProperties === 'object' ? additionalProperties : {}),
          { maxKeys: 3 },
        );
      const each = Object.fromEntries(Object.entries(properties).map(([key, of]) => [key, fromSchema(of)]));
      return fc.record(each, { requiredKeys: [...required] });
    }
  }
}

const isShort = (text: string) => text.length <= 512;

describe('the schemas of what a client may send', () => {
  it.each(CLIENT_SCHEMAS.map(({ type, schema }) => [type, schema] as const))(
    'admit nothing of %s that the parser refuses',
    (_, schema) => {
      fc.assert(
        fc.property(fromSchema(schema), (message) => {
          expect(parsed(message)).toBe(true);
        }),
        { numRuns: 150 },
      );
    },
  );

  it('admit exactly what the parser accepts, also of what is nearly right', () => {
    let accepted = 0;
    const message = fc
      .tuple(fc.constantFrom<string>(...TYPES, 'foo'), payload, fc.boolean(), payload)
      .map(([type, keys, inside, beside]) =>
        inside
          ? { ...(Object.keys(beside).length > 2 ? beside : {}), type, payload: keys }
          : { ...keys, type },
      );
    fc.assert(
      fc.property(message, (each) => {
        const ok = parsed(each);
        if (ok) accepted++;
        expect(admitted(each), JSON.stringify(each)).toBe(ok);
      }),
      { numRuns: 8_000 },
    );
    expect(accepted).toBeGreaterThan(200);
  });

  it.each([
    { type: 'subscribe', topics: ['devices/+/state'], since: { e: 2 ** 53 - 1 }, max_hz: 0.01 },
    { type: 'subscribe', payload: { topics: ['1/2/3/4/5/6/7/#'] } },
    { type: 'ping', timestamp: 1 },
    { type: 'ping', payload: { timestamp: null } },
    { type: 'auth', token: 'x' },
    { type: 'echo', anything: [1] },
    { type: 'command', device: 'p1', message: 'datetime', fields: {}, timeout_ms: 600_000 },
  ])('admit %j, as the parser does', (message) => {
    expect([admitted(message), parsed(message)]).toEqual([true, true]);
  });
});
