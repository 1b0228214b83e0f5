import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './check-io.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-check-'));
  await writeFile(
    join(folder, 'devices.yaml'),
    'devices:\n  - id: a\n    link: tcp:a:1\n    heartbeat: { interval: 3 }\n  - { id: b, link: "tcp:b:1", role: server }\n',
  );
  await writeFile(
    join(folder, 'doubtful.yaml'),
    'devices:\n  - { id: a, match: { imei: "490154203237518" } }\n',
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('check', () => {
  it('says that the example is in order', async () => {
    expect(await runCli(['check'], root)).toEqual({
      code: 0,
      out: 'devices.yaml: 3 devices, 1 listener, no problems\n',
      err: '',
    });
  });

  it('prints every problem with its place and fix, on standard output', async () => {
    const { code, out, err } = await runCli(['check'], folder);
    expect({ code, err }).toEqual({ code: 2, err: '' });
    expect(out.split('\n').slice(0, -1)).toEqual([
      expect.stringMatching(/^devices\.yaml:2:5: error: devices\[0\]\.register: .*role: server/),
      'devices.yaml:4:28: error: devices[0].heartbeat.interval: 3 what? A duration carries its unit. Write 3s if seconds are meant, or use ms, m or h.',
      'devices.yaml: 2 errors',
    ]);
  });

  it('passes a file that only deserves a warning', async () => {
    const { code, out } = await runCli(['check', 'doubtful.yaml'], folder);
    expect(code).toBe(0);
    expect(out).toMatch(
      /warning: devices\[0\]\.match: .*\ndoubtful\.yaml: 1 device, 0 listeners, 1 warning\n$/,
    );
  });

  it('prints the same for a machine', async () => {
    const { code, out } = await runCli(['check', '--json'], folder);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      file: 'devices.yaml',
      valid: false,
      devices: 2,
      listeners: 0,
      problems: [
        { severity: 'error', line: 2, column: 5, code: 'config_not_registered', device: 'a' },
        { severity: 'error', line: 4, column: 28, code: 'config_bad_duration', seen: '3', fix: /Write 3s/ },
      ].map((each) => ({ ...each, ...('fix' in each ? { fix: expect.stringMatching(each.fix) } : {}) })),
    });
  });

  it.each(['protocol:\n  byte_order: middle\n', 'enums: { mode: 5 }\n', 'errors: { a: b }\n'])(
    'knows a file of messages before it has any: %j',
    async (text) => {
      await writeFile(join(folder, 'begun.yaml'), text);
      const { out } = await runCli(['check', 'begun.yaml'], folder);
      expect(out).not.toContain('There is no key');
      expect(out).toContain('messages: ');
    },
  );

  it('tells of a file that is not there without a stack', async () => {
    const { code, out, err } = await runCli(['check', 'nowhere.yaml'], folder);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^heartwire: There is no such file: nowhere\.yaml\. .+\n$/);
  });
});

describe('the command line', () => {
  it.each([
    [[], /Connect devices/, 2],
    [['chekc'], /Did you mean check\?\n.*`heartwire --help`/, 2],
    [['check', '--jsn'], /--jsn\..*\n.*`heartwire check --help`/, 2],
    [['run', '--port', '1', '--port', '2'], /--port is given twice/, 2],
    [['check', 'a', 'b'], /Unknown argument: b/, 2],
    [['schema'], /`heartwire schema --help`/, 2],
    [['schema', 'nonsense'], /nonsense.*devices/, 2],
    [['--nonsense'], /Unknown argument: nonsense|Which command/, 2],
  ])('%j is wrong usage, with a hint on standard error', async (argv, hint, code) => {
    const outcome = await runCli(argv, root);
    expect(outcome.err).toMatch(hint);
    expect(outcome).toMatchObject({ code, out: '' });
    expect(outcome.err).not.toMatch(/\n\s+at /);
  });

  it('helps, with examples, on standard output', async () => {
    const all = await runCli(['--help'], root);
    expect(all).toMatchObject({ code: 0, err: '' });
    expect(all.out).toMatch(/heartwire check \[file\]/);
    const one = await runCli(['check', '--help'], root);
    expect(one).toMatchObject({ code: 0, err: '' });
    expect(one.out).toMatch(/Examples:\n.*heartwire check/);
  });

  it('knows its version and completes commands', async () => {
    expect(await runCli(['--version'], root)).toEqual({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      err: '',
    });
    const script = await runCli(['completion'], root);
    expect(script).toMatchObject({ code: 0, out: expect.stringContaining('check') });
  });
});
