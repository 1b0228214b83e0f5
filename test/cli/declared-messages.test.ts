import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { type Outcome, runCli } from './check-io.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const MESSAGES = `version: 1
enums: { mode: { 0: idle, 1: heating } }
messages:
  - name: set
    description: Sets everything.
    id: 0x11
    from: host
    reply: { fields: [{ name: applied, type: f32, unit: V }] }
    errors: { 5: busy }
    fields:
      - { name: target, type: i16, scale: 0.01, unit: "°C" }
      - { name: mode, type: u8, enum: mode }
      - { name: flags, type: u8, bits: [{ name: on, at: 0 }, { name: level, at: 1..3 }] }
      - { name: serial, type: u64 }
      - { name: list, type: array, count: u8, of: { type: u8, invalid: 255 } }
      - { name: text, type: text, length: u8 }
      - { name: data, type: bytes, length: u8 }
`;
const SET = [
  'set',
  'target=21.5',
  'mode=heating',
  'flags.on=true',
  'flags.level=0x5',
  'serial=9007199254740993',
  'list=[1,null]',
  'text=a=b c',
  'data=0x0a0b',
];
const PAYLOAD = '110866010b002000000000000102 01ff 05613d622063 020a0b'.replaceAll(' ', '');

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-declared-'));
  await writeFile(join(folder, 'messages.yaml'), MESSAGES);
  await writeFile(
    join(folder, 'broken.yaml'),
    'messages:\n  - { name: a, id: 1, fields: [{ name: x, type: u9 }] }\n',
  );
  await writeFile(join(folder, 'frames.bin'), Uint8Array.of(0, 0, 0, 1, 1, 0, 0, 0, 2, 1, 0));
  await writeFile(join(folder, 'frames.hex'), '00000001 01\n00000002 01 00\n');
  await writeFile(join(folder, 'two.bin'), Uint8Array.of(10, 11));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const declared = ['--messages', 'messages.yaml'] as const;
const ok = (out: string): Outcome => ({ code: 0, out, err: '' });

describe('encode', () => {
  it('takes a value with its unit, and no other unit', async () => {
    const withUnit = SET.map((word) => (word === 'target=21.5' ? 'target=21.5 degC' : word));
    expect(await runCli(['encode', ...withUnit, '--payload', ...declared], folder)).toEqual(
      ok(`${PAYLOAD}\n`),
    );
    const another = SET.map((word) => (word === 'target=21.5' ? 'target=294.65 K' : word));
    const refused = await runCli(['encode', ...another, ...declared], folder);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('set: target: is given in °C, and nothing is converted. Seen: "294.65 K".');
  });

  it('writes every kind of field', async () => {
    expect(await runCli(['encode', ...SET, '--payload', ...declared], folder)).toEqual(ok(`${PAYLOAD}\n`));
    const signed = SET.map((word) => (word === 'target=21.5' ? 'target=+21.5' : word));
    expect(await runCli(['encode', ...signed, '--payload', ...declared], folder)).toEqual(ok(`${PAYLOAD}\n`));
  });

  it('reads bytes from a file, and puts the frame around', async () => {
    const words = [...SET.slice(0, -1), 'data=@two.bin'];
    expect(await runCli(['encode', ...words, ...declared], folder)).toEqual(ok(`00000019${PAYLOAD}\n`));
  });

  test.each([
    [['heartbeat'], '0000000101\n'],
    [['heartbeat', '--reply'], '000000020100\n'],
    [['heartbeat', '--error', '-1'], '0000000201ff\n'],
    [['heartbeat', '--json'], '{"message":"heartbeat","hex":"0000000101","bytes":5}\n'],
    [['set', '--error', '5', ...declared], '000000021105\n'],
  ])('%j', async (words, out) => {
    expect(await runCli(['encode', ...words], folder)).toEqual(ok(out));
  });

  test.each<[readonly string[], RegExp]>([
    [['nothing'], /There is no message "nothing".*register, heartbeat, datetime/],
    [['heartbeat', 'a=1'], /a: there is no such field/],
    [['heartbeat', 'a'], /gives no field a value/],
    [[...SET, 'target=1', ...declared], /target is given twice/],
    [[...SET.slice(0, -1), 'data=@none.bin', ...declared], /none\.bin/],
    [[...SET.slice(0, -1), 'data=xyz', ...declared], /these are no bytes/],
    [[...SET.filter((word) => !word.startsWith('list')), 'list=[1', ...declared], /no JSON/],
    [['set', '__proto__.x=1', ...declared], /there is no such field/],
    [['set', 'target=400', 'mode=idle', ...declared], /target: must be -327\.68 to 327\.67/],
  ])('refuses %j', async (words, message) => {
    const { code, out, err } = await runCli(['encode', ...words], folder);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(message);
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });
});

describe('decode', () => {
  it('shows every field with its place, bytes, raw value, value and unit', async () => {
    const { code, out, err } = await runCli(['decode', PAYLOAD, '--payload', ...declared], folder);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['set request, 25 bytes'],
      ['field', 'offset', 'bytes', 'raw', 'value', 'unit'],
      ['id', '0', '11', 'constant'],
      ['target', '1', '0866', '2150', '21.5', '°C'],
      ['mode', '3', '01', '1', 'heating'],
      ['flags', '4', '0b', '11', '{"on":true,"level":5}'],
      ['on', '4', '0b', '1', 'true'],
      ['level', '4', '0b', '5', '5'],
      ['serial', '5', '0020000000000001', '9007199254740993'],
      ['list', '13', '0201ff', '[1,255]', '[1,null]'],
      ['[0]', '14', '01', '1'],
      ['[1]', '15', 'ff', '255', 'null'],
      ['text', '16', '05613d622063', 'a=b c'],
      ['data', '22', '020a0b', '2 bytes'],
      [''],
    ]);
  });

  it('prints JSON lines', async () => {
    const { out } = await runCli(['decode', PAYLOAD, '--payload', '--json', ...declared], folder);
    const line: unknown = JSON.parse(out);
    expect(line).toMatchObject({
      message: 'set',
      kind: 'request',
      id: 17,
      fields: { target: 21.5, data: { $bytes: 'Cgs=', len: 2 } },
      raw: { target: 2150 },
    });
    expect(line).toMatchObject({
      layout: expect.arrayContaining([
        expect.objectContaining({ field: 'flags.level', offset: 4, value: 5 }),
      ]),
    });
  });

  test.each(['frames.bin', 'frames.hex'])('finds the frames in %s', async (file) => {
    const { code, out } = await runCli(['decode', file], folder);
    expect(code).toBe(0);
    expect(out).toMatch(/^heartbeat request, 1 bytes\n[\s\S]*\n\nheartbeat reply, 2 bytes\n/);
  });

  it('reads standard input', async () => {
    let out = '';
    const code = await main(['decode', '-'], {
      out: (text) => {
        out += text;
      },
      err: () => undefined,
      terminal: false,
      program: 'heartwire',
      env: {},
      cwd: folder,
      onSignal: () => () => undefined,
      onUncaught: () => () => undefined,
      outClosed: new AbortController().signal,
      stdin: async function* () {
        yield Uint8Array.of(0, 0, 0);
        yield Uint8Array.of(1, 1);
      },
    });
    expect(code).toBe(0);
    expect(out).toMatch(/^heartbeat request/);
  });

  test.each<[readonly string[], RegExp]>([
    [['000000020200'], /invalid datetime: datetime at byte 2: expected 19 bytes, found 0 bytes/],
    [['0000000177'], /unknown message 119, 1 bytes: 77/],
    [['000000'], /3 bytes belong to no message \(truncated\)/],
    [['ffffffff00'], /no frame can begin here \(too_long\)/],
  ])('fails, and says why: %j', async (words, message) => {
    const { code, out } = await runCli(['decode', ...words], folder);
    expect(code).toBe(1);
    expect(out).toMatch(message);
  });

  it('shows parts below what they are parts of', async () => {
    await writeFile(
      join(folder, 'nested.yaml'),
      `messages:
  - name: pack
    id: 3
    fields:
      - { name: head, type: struct, fields: [{ name: flags, type: u8, bits: [{ name: on, at: 0 }] }] }
      - { name: cells, type: array, count: 1, of: { type: struct, fields: [{ name: volt, type: u8 }] } }
`,
    );
    const { out } = await runCli(['decode', '03 01 07', '--payload', '--messages', 'nested.yaml'], folder);
    const names = out
      .split('\n')
      .slice(2, -1)
      .map((line) => line.slice(2).replace(/ {2,}\d.*| [\d].*/, ''));
    expect(names).toEqual(['id', 'head', '  flags', '    on', 'cells', '  [0]', '    volt']);
  });

  it('prints as many bytes of an unknown message as there are', async () => {
    const { out } = await runCli(['decode', '6f a1', '--payload', ...declared], folder);
    expect(out).toBe('unknown message 111, 2 bytes: 6fa1\n');
    const long = await runCli(['decode', '6f'.repeat(70), '--payload', ...declared], folder);
    expect(long.out).toBe(`unknown message 111, 70 bytes: ${'6f'.repeat(64)}...\n`);
  });

  it('knows hex from a file that is not there', async () => {
    const { code, err } = await runCli(['decode', 'none.bin'], folder);
    expect(code).toBe(1);
    expect(err).toMatch(/"none\.bin": neither hex digits nor a file/);
  });

  it('tells what is wrong with the messages, and ends with 2', async () => {
    const { code, err } = await runCli(['decode', '00', '--messages', 'broken.yaml'], folder);
    expect(code).toBe(2);
    expect(err).toMatch(/broken\.yaml:2:49: error: messages\[0\]\.fields\[0\]\.type/);
  });
});

describe('types', () => {
  it('prints what a subscriber gets', async () => {
    const { code, out } = await runCli(['types'], folder);
    expect(code).toBe(0);
    expect(out).toContain(`/** Sets everything. */
export interface Set {
  /** In °C. */
  readonly target: number;
  readonly mode: "idle" | "heating" | number;
  readonly flags: {
    readonly on: boolean;
    readonly level: number;
    readonly undeclared?: number;
  };
  readonly serial: number | string;
  readonly list: readonly (number | null)[];
  readonly text: string;
  readonly data: Bytes;
}`);
    expect(out).toContain('  readonly applied?: number;\n');
    expect(out).toContain('export interface DeviceValues {\n  readonly set?: SetReply;\n}\n');
  });
});

describe('types of commands', () => {
  const typesOf = async (text: string): Promise<string> => {
    await writeFile(join(folder, 'commands.yaml'), text);
    const { code, out } = await runCli(['types', 'commands.yaml'], folder);
    expect(code).toBe(0);
    return out;
  };
  const COUNTED =
    'fields: [{ name: serial, type: u16 }, { name: size, type: u8 }, { name: data, type: bytes, length: { field: size } }]';

  it('ask for no number that the bridge counts, and for no length that follows from what it counts', async () => {
    const out = await typesOf(`version: 1
protocol: { id: { type: u16, at: 0 }, error: none, sequence: { type: u16, at: 2 } }
messages:
  - { name: write, id: 1, from: host, ${COUNTED} }
  - { name: read, id: 2, from: host, fields: [{ name: serial, type: u16 }] }
`);
    expect(out).toContain(
      'readonly write: { readonly fields: Omit<Write, "serial" | "size"> & Partial<Pick<Write, "size">>; ',
    );
    expect(out).toContain('readonly read: { readonly fields: Omit<Read, "serial">; ');
  });

  it('ask for all else', async () => {
    const out = await typesOf(`version: 1
messages:
  - { name: write, id: 1, from: host, fields: [{ name: serial, type: u16 }] }
`);
    expect(out).toContain('readonly write: { readonly fields: Write; ');
  });
});

describe('decode of what stands in front of all frames', () => {
  const IMEI = '000f333536333037303432343431303133';
  const RECORDS =
    '000000000000003608010000016b40d8ea30010000000000000000000000000000000105021503010101425e0f01f10000601a014e0000000000000000010000c7cf';

  it('shows the hello of a device, and the frames behind it', async () => {
    const { code, out } = await runCli(['decode', '--messages', 'pack:teltonika', IMEI + RECORDS], folder);
    expect(code).toBe(0);
    expect(out).toMatch(/^hello notice, 17 bytes\n.*\n {2}imei +0 .* 356307042441013\n\nrecords notice/s);
  });

  it('shows frames alone', async () => {
    const { code, out } = await runCli(['decode', '--messages', 'pack:teltonika', RECORDS, '--json'], folder);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ message: 'records' });
  });

  it.each([
    ['01', 'accepted'],
    ['00', 'refused'],
  ])('shows the answer %s of the platform', async (hex, word) => {
    const args = ['decode', '--messages', 'pack:teltonika', '--from', 'host', hex];
    expect(await runCli(args, folder)).toEqual(ok(`hello reply, ${word}: ${hex}\n`));
    const { out } = await runCli([...args, '--json'], folder);
    expect(JSON.parse(out)).toEqual({
      message: 'hello',
      kind: 'reply',
      accepted: word === 'accepted',
      payload: hex,
    });
  });
});

describe('check and schema', () => {
  it('cover files of messages', async () => {
    expect(await runCli(['check', 'messages.yaml'], folder)).toEqual(
      ok('messages.yaml: 1 message, no problems\n'),
    );
    const { code, out } = await runCli(['check', 'broken.yaml', '--json'], folder);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      valid: false,
      problems: [{ line: 2, column: 49, path: 'messages[0].fields[0].type' }],
    });
    const { out: schema } = await runCli(['schema', 'messages'], folder);
    expect(JSON.parse(schema)).toMatchObject({ title: 'Heartwire messages.yaml' });
  });

  test.each(['jbd-bms', 'eastron-sdm'])('find no error in the example %s', async (name) => {
    const { code } = await runCli(['check', `examples/${name}/messages.yaml`], root);
    expect(code).toBe(0);
  });
});
