import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPack, listPacks } from '../../src/config/packs/find-pack.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { readConfig } from '../../src/config/read.ts';
import { runCli } from '../cli/check-io.ts';

const MESSAGES = 'version: 1\nprotocol: { framing: { type: delimiter, delimiter: [10] } }\n';
const ONE = `${MESSAGES}messages:\n  - { name: level, from: device, fields: [{ name: depth, type: text, length: rest }] }\n`;

function packYaml(name: string): string {
  return [
    'version: 1',
    `name: ${name}`,
    'title: Tanks',
    'maker: Acme',
    'models: [T1]',
    'licence: MIT',
    'sources: { manual: page 3 }',
    'example: "devices: []"',
  ].join('\n');
}

const frames = (more: object = {}): string =>
  JSON.stringify(
    {
      frames: [
        {
          source: 'manual',
          from: 'device',
          text: '4.2\n',
          message: 'level',
          kind: 'notice',
          fields: { depth: '4.2' },
          ...more,
        },
      ],
    },
    undefined,
    2,
  );

let root = '';
const bench = (): string => join(root, 'site', 'bench');

async function write(
  folder: string,
  name: string,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const path = join(root, folder);
  await mkdir(path, { recursive: true });
  const all = { 'pack.yaml': packYaml(name), 'messages.yaml': ONE, 'frames.json': frames(), ...files };
  for (const [file, text] of Object.entries(all)) await writeFile(join(path, file), text);
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'heartwire-find-pack-'));
  await mkdir(join(root, 'site/bench'), { recursive: true });
  await write('shipped/tank', 'tank');
  await write('site/node_modules/heartwire-pack-tank', 'tank');
  await write('site/node_modules/heartwire-pack-boiler', 'boiler');
  await write('site/bench/node_modules/@acme/heartwire-pack-pump', 'pump');
  await write('node_modules/@acme/valve', 'valve');
});
afterAll(() => rm(root, { recursive: true }));

const find = async (name: string) => {
  const { folder, shipped } = await findPack(name, bench(), join(root, 'shipped'));
  return [folder.slice(root.length + 1), shipped];
};

describe('a pack', () => {
  it('is one that came along, else a package beside the configuration or above it', async () => {
    expect(await find('tank')).toEqual(['shipped/tank', true]);
    expect(await find('boiler')).toEqual(['site/node_modules/heartwire-pack-boiler', false]);
    expect(await find('@acme/pump')).toEqual(['site/bench/node_modules/@acme/heartwire-pack-pump', false]);
    expect(await find('@acme/valve')).toEqual(['node_modules/@acme/valve', false]);
  });

  it('is listed by the name that finds it', async () => {
    const packs = await listPacks(bench(), join(root, 'shipped'));
    expect(packs.map(({ name, shipped }) => [name, shipped])).toEqual([
      ['@acme/pump', false],
      ['@acme/valve', false],
      ['boiler', false],
      ['tank', true],
    ]);
    for (const { name, folder } of packs) {
      expect((await findPack(name, bench(), join(root, 'shipped'))).folder).toBe(folder);
    }
  });

  it.each([
    ['boilr', 'Did you mean pack:boiler?'],
    ['pump', 'Did you mean pack:@acme/pump?'],
    ['zzzzzzzz', 'There are @acme/pump, @acme/valve, boiler, tank'],
    ['', 'heartwire packs'],
    ['../../etc', 'heartwire packs'],
    ['tank/../tank', 'heartwire packs'],
    ['Tank', 'heartwire packs'],
    ['@acme', 'heartwire packs'],
  ])('of the name "%s" is not there', async (name, fix) => {
    const error = await findPack(name, bench(), join(root, 'shipped')).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'pack_unknown', fix: expect.stringContaining(fix) });
  });
});

describe('devices.yaml', () => {
  const devices = (messages: string): string =>
    `devices:\n  - { id: a, link: "tcp:127.0.0.1:1", session: none, messages: "${messages}" }\n`;

  it('names a pack from its own folder, and reads its messages again when they change', async () => {
    const path = join(bench(), 'devices.yaml');
    await writeFile(path, devices('pack:@acme/pump'));
    const { config, problems, sources } = await readConfig(path, 'devices.yaml');
    expect(problems.map(formatProblem)).toEqual([]);
    expect(config?.devices[0]?.messages?.message('level')).toBeDefined();
    expect([...sources.keys()]).toContain(
      join(bench(), 'node_modules/@acme/heartwire-pack-pump/messages.yaml'),
    );
  });

  it('says where a pack is not there, and which one comes near', async () => {
    const path = join(bench(), 'devices.yaml');
    await writeFile(path, devices('pack:boilers'));
    const { problems } = await readConfig(path, 'devices.yaml');
    expect(problems.map(formatProblem)).toEqual([
      'devices.yaml:2:64: error: devices[0].messages: There is no pack "boilers" (seen: "pack:boilers"). Did you mean pack:boiler? `heartwire packs` lists them all.',
    ]);
    expect(problems[0]?.code).toBe('pack_unknown');
  });
});

describe('heartwire packs', () => {
  it('lists, shows and checks those of the folder in which it is called', async () => {
    const list = await runCli(['packs'], bench());
    expect(list).toMatchObject({ code: 0, err: '' });
    expect(list.out).toMatch(/^ {2}@acme\/pump +Acme +Tanks$/m);
    expect(list.out).toMatch(/^ {2}eastron-sdm /m);
    const shown = await runCli(['packs', 'pack:boiler'], bench());
    expect(shown.out).toContain('boiler: Tanks');
    expect(shown.out).toContain('source manual  page 3');
    const json = await runCli(['packs', 'boiler', '--json'], bench());
    expect(JSON.parse(json.out)).toMatchObject({
      name: 'boiler',
      maker: 'Acme',
      messages: [{ name: 'level' }],
    });
    expect(await runCli(['packs', 'boiler', '--check'], bench())).toMatchObject({
      code: 0,
      out: 'boiler: 1 frame, 0 traces, as published\n',
    });
  });

  it('decodes with a pack, and says where there is none', async () => {
    const decoded = await runCli(['decode', '--json', '--messages', 'pack:boiler', '342e320a'], bench());
    expect(JSON.parse(decoded.out)).toMatchObject({ message: 'level', fields: { depth: '4.2' } });
    const unknown = await runCli(['decode', '--messages', 'pack:boilre', '00'], bench());
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('Did you mean pack:boiler?') });
  });

  it.each([
    [{ fields: { depth: '4.3' } }, 1, 'it decodes to'],
    [{ encode: false, reason: 'no reason' }, 1, 'its values do encode to its bytes'],
    [{ text: '4.2' }, 1, '3 bytes belong to no message'],
    [{ hex: '00' }, 1, ':3:5: error: frames[0]: A frame has either `hex` or `text`.'],
    [{ source: 'rumour' }, 1, 'frames[0].source: There is no such source in pack.yaml'],
    [{ encode: false }, 1, 'A frame that cannot be encoded has a reason'],
    [{ form: 'device' }, 1, 'There is no key `form` here'],
  ])('finds that a frame with %o is wrong', async (more, code, text) => {
    await write('wrong/tank', 'tank', { 'frames.json': frames(more) });
    const checked = await runCli(['packs', './tank', '--check'], join(root, 'wrong'));
    expect(checked.code).toBe(code);
    expect(checked.out).toContain(text);
  });

  it('finds that a trace comes to something else, and that a name differs', async () => {
    const trace =
      '#heartwire-trace 1\n#start 2026-01-01T00:00:00.000Z\n#meta device=a session=none\n0 c1 = open x\n0.1 c1 < "4.2\\n"\n0.2 c1 < "4.3\\n"\n';
    await write('wrong/tank', 'tank', { 'a.trace': trace, 'a.golden.jsonl': '{}\n' });
    const checked = await runCli(['packs', './tank', '--check'], join(root, 'wrong'));
    expect(checked).toMatchObject({ code: 1, out: expect.stringContaining('a.trace: not as expected') });
    await write('wrong/other', 'tank');
    const other = await runCli(['packs', './other', '--check'], join(root, 'wrong'));
    expect(other.out).toContain('pack.yaml:2:7: error: name: The pack lies in a folder for "other"');
  });
});
