import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { devicesJsonSchema, devicesJsonSchemaText } from '../../src/config/json-schema.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { load } from './example.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly description?: string;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[];
}

// What zod gives is JSON Schema by its own declaration, and as wide as JSON.
const root = devicesJsonSchema() as Schema;

/** Every key of the file as a path without indices: `devices.heartbeat.interval`. */
function keysOf(schema: Schema, path = ''): [string, Schema][] {
  const below = [schema, schema.items, ...(schema.anyOf ?? [])].flatMap((each) =>
    Object.entries(each?.properties ?? {}),
  );
  return below.flatMap(([key, value]) => {
    const here = path === '' ? key : `${path}.${key}`;
    return [[here, value] as [string, Schema], ...keysOf(value, here)];
  });
}

describe('the JSON Schema', () => {
  it('is shipped as it is generated (else run `npm run generate`)', () => {
    const shipped = readFileSync(new URL('../../schemas/devices.schema.json', import.meta.url), 'utf8');
    expect(shipped).toBe(devicesJsonSchemaText());
  });

  it('admits no unknown keys, and demands what is needed', () => {
    expect(root.additionalProperties).toBe(false);
    expect(root.properties?.devices?.items).toMatchObject({ additionalProperties: false, required: ['id'] });
    expect(root.properties?.listeners?.items?.required).toEqual(['link']);
  });

  it('describes every key', () => {
    const groups = /^(devices|listeners|defaults|buses)\.(heartbeat|reconnect|register)$/;
    const silent = keysOf(root).filter(([path, { description }]) => !description && !groups.test(path));
    expect(silent.map(([path]) => path)).toEqual([]);
  });
});

describe('docs/reference/devices-yaml.md', () => {
  const text = readFileSync(new URL('../../docs/reference/devices-yaml.md', import.meta.url), 'utf8');
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);

  it('has examples, each of which passes the check', () => {
    expect(examples.length).toBeGreaterThan(5);
    const keys = new Map([['keys/bench-2026.key', { text: Buffer.alloc(32).toString('base64') }]]);
    const name = 'examples/eastron-sdm/messages.yaml';
    const meter = readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
    // Its warnings are its own.
    const { protocol } = loadMessages(meter, name);
    if (protocol === undefined) throw new Error(`${name} has errors`);
    const messages = new Map([[name, { protocol, problems: [] }]]);
    for (const each of examples) load(each, keys, messages);
  });
});

describe('devices.yaml', () => {
  it('passes the check without so much as a warning', () => {
    const text = readFileSync(new URL('../../devices.yaml', import.meta.url), 'utf8');
    expect(load(text).devices.map((each) => each.id)).toEqual(['psu-1', 'rack-7', 'tracker-9']);
  });
});
