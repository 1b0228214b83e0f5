import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { devicesJsonSchema } from '../../src/config/json-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { messagesJsonSchema } from '../../src/config/messages/json-schema.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import type { Problem } from '../../src/config/problem.ts';
import { type JsonSchema, schemaProblems } from '../support/schema-check.ts';

const DEVICES = [
  `
server: { host: 127.0.0.1, port: 8080, origins: ["https://a.b"], hosts: [], tcp: { port: 1 }, flush_window: 5ms }
access: { tokens: [{ name: p, hash: "sha256:${'0'.repeat(64)}", roles: read, topics: ["#"], expires: "2030-01-01" }] }
defaults: { heartbeat: { interval: 3s, missed: 3 }, clock: { every: 60s }, presence: { every: 1h }, baud: 9600 }
known_devices: { keep: true, file: state/devices.known }
recording: { dir: traces, max_age: 1h, budget_mb: 100, gzip: true }
files: { dir: files, max_file_mb: 1 }
metrics: { per_device: true }
devices:
  - id: a
    link: /dev/ttyS7
    baud: 115200-8N1
    data_bits: 8
    parity: none
    gap: 60ms
    required: true
    record: false
    register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }
    reconnect: { initial: 1s, max: 1h, multiplier: 1.5, jitter: full }
    connect_timeout: 1s
`,
  `
devices:
  - { id: a, match: { imei: "869858030720693", from: [10.0.0.0/8] }, presence: { every: 1h }, max_frame: 52 }
  - { id: b, link: ["tcp:1.2.3.4:5", "tcp:1.2.3.5:5"], session: none, silence: 5s, line: serial, turnaround: 1ms }
listeners:
  - { link: "tcp-listen:127.0.0.1:9", unknown: accept, forget: 1h, max_devices: 5, heartbeat: { interval: 5s }, clock: false }
`,
];

const MESSAGES = [
  `
version: 1
enums: { mode: { 0: idle } }
errors: { 5: busy }
protocol:
  byte_order: big
  framing: { type: length, length: u16, checksum: { algorithm: crc-32, covers: [{ from: 0 }] }, trailer: 3 }
  id: { type: u8, at: 0 }
  error: i8
messages:
  - name: m
    id: 16
    from: any
    reply: { fields: [{ name: z, type: u8 }] }
    every: 10s
    confirms: { a: m.a }
    errors: { 7: hot }
    fields:
      - { name: a, type: u8, description: x }
      - { name: b, type: i16, scale: 0.1, offset: 1, unit: V, range: [0, 4], limits: { warn: [0, 4], alarm: [null, 5] }, invalid: 1 }
      - { name: c, type: u8, bits: [{ name: x, at: 0 }, { name: y, at: 1..2, enum: mode }] }
      - { name: d, type: text, length: u8, max: 5, encoding: ascii, content: digits }
      - { name: e, type: bytes, length: { field: a } }
      - { name: f, type: array, count: 2, of: { type: u8 } }
      - { name: g, type: f32, value: 1.5 }
      - { name: h, type: u8, when: { field: c.x, is: true } }
      - { name: i, type: crc, algorithm: crc-32, covers: [id, a], byte_order: little }
      - { name: j, type: text, length: 4, pad: 32 }
      - { type: reserved, length: 2 }
`,
  `
protocol:
  framing:
    type: delimiter
    delimiter: "\\n"
    start: $
    escape: { byte: 1, xor: 2 }
    checksum: { algorithm: xor-8, encoding: hex, separator: "*" }
    first: take
    max_frame: 100
messages: [{ name: t, fields: [{ name: z, type: text, terminator: 0 }] }]
`,
];

const ODD = [
  ...[null, true, false, 0, 1, -1, 1.5, 1_000, 65_535, 2 ** 60, [], {}, ['x'], [1, 2], [0, null], { 0: 'a' }],
  ...[
    '',
    'x',
    '3s',
    '0.5s',
    '.5s',
    '1e3ms',
    '115200-8n1',
    '9600-7E1.5',
    '0x10',
    'rest',
    'u16',
    'none',
    'any',
  ],
  ...['*', '#', '127.0.0.1', '::1', { field: 'a' }, 'CRC-32', '18446744073709551615', 'COM3', '2..3', '7'],
];
/** Keys that no file has, and some that only another place has. */
const STRAY = ['devicez', 'description', 'type', 'max_frame', 'messages', 'baud', 'pad', 'value'];

type Place = readonly (string | number)[];

function* placesIn(value: unknown, above: Place = []): Generator<Place> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const here = [...above, Array.isArray(value) ? Number(key) : key];
    yield here;
    yield* placesIn(inner, here);
  }
  if (!Array.isArray(value)) for (const key of STRAY) if (!Object.hasOwn(value, key)) yield [...above, key];
}

function changed(document: unknown, [key = '', ...below]: Place, to: unknown): unknown {
  if (Array.isArray(document)) {
    return document.map((each, index) =>
      index !== key ? each : below.length === 0 ? to : changed(each, below, to),
    );
  }
  const keyed = document as Record<string, unknown>;
  return { ...keyed, [key]: below.length === 0 ? to : changed(keyed[key], below, to) };
}

describe.each<
  [string, readonly string[], Readonly<Record<string, unknown>>, (text: string) => readonly Problem[]]
>([
  ['devices.yaml', DEVICES, devicesJsonSchema(), (text) => loadConfig(text, 'f.yaml').problems],
  ['messages.yaml', MESSAGES, messagesJsonSchema(), (text) => loadMessages(text, 'f.yaml').problems],
])('the JSON Schema of %s', (_, texts, schema, check) => {
  // What zod makes is JSON Schema by its own declaration.
  const root = schema as JsonSchema;
  const fits = (value: unknown): boolean => schemaProblems(root, value).length === 0;
  const errorsIn = (text: string) => check(text).filter(({ severity }) => severity === 'error');
  const documents = texts.map((text) => parse(text) as unknown);
  const changes = documents.flatMap((document) =>
    [...placesIn(document)].map((place) => ({ document, place })),
  );

  it.each(documents)('and check accept example %#', (document) => {
    expect(errorsIn(stringify(document))).toEqual([]);
    expect(fits(document)).toBe(true);
  });

  it('and check take a key with nothing behind it for absent, if it is one', () => {
    const known = Object.keys(root.properties ?? {}).filter((key) => root.required?.includes(key) !== true);
    for (const document of documents as readonly object[]) {
      for (const key of known.filter((each) => !Object.hasOwn(document, each))) {
        expect(errorsIn(stringify({ ...document, [key]: null }))).toEqual([]);
        expect(fits({ ...document, [key]: null })).toBe(true);
      }
      for (const key of root.required ?? []) {
        expect(errorsIn(stringify({ ...document, [key]: null }))).not.toEqual([]);
        expect(fits({ ...document, [key]: null })).toBe(false);
      }
      expect(errorsIn(stringify({ ...document, misspelt: null }))).toHaveLength(1);
      expect(fits({ ...document, misspelt: null })).toBe(false);
    }
  });

  it('accepts all that check accepts', { timeout: 240_000 }, () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...changes), fc.constantFrom(...ODD), ({ document, place }, odd) => {
        const text = stringify(changed(document, place, odd));
        if (errorsIn(text).length > 0) return;
        accepted++;
        if (!fits(parse(text))) throw new Error(`${place.join('.')} = ${JSON.stringify(odd)}`);
      }),
      { numRuns: 1_000 },
    );
    // Some thirty are to be expected; with next to none, nothing would have been compared.
    expect(accepted).toBeGreaterThan(5);
  });
});
