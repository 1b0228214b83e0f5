import {
  chmod,
  link,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigReader } from '../../../src/app/reload/config-reader.ts';
import { ConfigWriter } from '../../../src/app/reload/config-writer.ts';
import { planAddition } from '../../../src/config/plan-addition.ts';

const TEXT =
  '# my bench\nlisteners:\n  - link: tcp-listen:127.0.0.1:0 # trackers\n\ndevices:\n  - { id: a, match: { identity: "1" } }\n';
const LINES = '- id: b\n  match: { identity: "2" }\n';
const AFTER = `${TEXT}  - id: b\n    match: { identity: "2" }\n`;

describe('a writer of the configuration', () => {
  let folder: string;
  let path: string;
  const logged: string[] = [];
  const log = {
    info: (_: object, text: string) => void logged.push(text),
    warn: () => undefined,
    error: () => undefined,
  };
  const writerOf = (plan: typeof planAddition = planAddition) =>
    new ConfigWriter({ path, name: 'devices.yaml', reloads: true, log, plan });
  const add = (lines = LINES, base?: string, writer = writerOf()) =>
    writer.add({ section: 'devices', lines, ...(base === undefined ? {} : { base }) }, '127.0.0.1');
  const baseNow = async () => String((await add()).base);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-writer-'));
    path = join(folder, 'devices.yaml');
    logged.length = 0;
    await writeFile(path, TEXT);
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('shows what an entry changes, and writes nothing then', async () => {
    const { written, diff, problems } = await add();
    expect([written, problems]).toEqual([false, []]);
    expect(diff).toEqual(
      expect.arrayContaining([
        { sign: '+', line: 7, text: '  - id: b' },
        { sign: '+', line: 8, text: '    match: { identity: "2" }' },
      ]),
    );
    expect([await readFile(path, 'utf8'), await readdir(folder)]).toEqual([TEXT, ['devices.yaml']]);
  });

  it('writes the change that was shown, keeps the mode, and says so in the log', async () => {
    await chmod(path, 0o640);
    expect(await add(LINES, await baseNow())).toMatchObject({ written: true, file: 'devices.yaml' });
    expect(await readFile(path, 'utf8')).toBe(AFTER);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(folder)).toEqual(['devices.yaml']);
    expect(logged).toEqual(['devices.yaml: an entry of devices was added from 127.0.0.1']);
  });

  it('writes through a symbolic link, which stays one', async () => {
    const target = join(folder, 'real.yaml');
    await rm(path);
    await writeFile(target, TEXT);
    await symlink(target, path);
    expect(await add(LINES, await baseNow())).toMatchObject({ written: true });
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(await readFile(target, 'utf8')).toBe(AFTER);
  });

  it('does the same in a thread', async () => {
    using reader = new ConfigReader();
    const writer = writerOf((...asked) => reader.plan(...asked));
    const { base, diff } = await add(LINES, undefined, writer);
    expect(diff).toEqual((await add()).diff);
    await expect(add('- id: b\n  messages: other.yaml', undefined, writer)).rejects.toMatchObject({
      code: 'config_names_file',
    });
    expect(await add(LINES, String(base), writer)).toMatchObject({ written: true });
  });

  it('lists all problems with their places, and writes nothing then', async () => {
    const base = await baseNow();
    const { written, problems } = await add('- id: a\n  matsch: { identity: "2" }\n  link: tcp:x\n', base);
    expect(written).toBe(false);
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ file: 'devices.yaml', line: 8, column: 5, code: 'config_unknown_key' }),
        expect.objectContaining({
          file: 'devices.yaml',
          line: 9,
          code: 'config_bad_link',
          fix: expect.any(String),
        }),
      ]),
    );
    expect(await readFile(path, 'utf8')).toBe(TEXT);
  });

  it('lists the problems of a file that is no YAML', async () => {
    await writeFile(path, 'devices: [\n');
    const { written, problems } = await add();
    expect([written, problems]).toEqual([
      false,
      [expect.objectContaining({ file: 'devices.yaml', code: 'config_syntax' })],
    ]);
  });

  it('refuses to write where the file has changed since, also in the last moment', async () => {
    const base = await baseNow();
    const edited = `${TEXT}# edited\n`;
    const late = writerOf(async (...asked) => {
      const planned = await planAddition(...asked);
      await writeFile(path, edited);
      return planned;
    });
    for (const writer of [late, writerOf()]) {
      await expect(add(LINES, base, writer)).rejects.toMatchObject({ code: 'config_changed' });
      expect([await readFile(path, 'utf8'), await readdir(folder)]).toEqual([edited, ['devices.yaml']]);
    }
  });

  it('makes one change at a time', async () => {
    const writer = writerOf();
    const [first, second] = await Promise.allSettled([
      add(LINES, undefined, writer),
      add(LINES, undefined, writer),
    ]);
    expect([first.status, second]).toEqual([
      'fulfilled',
      { status: 'rejected', reason: expect.objectContaining({ code: 'config_busy' }) },
    ]);
    expect(await add(LINES, undefined, writer)).toMatchObject({ written: false });
  });

  it('refuses a file that other names of it would part from', async () => {
    await link(path, join(folder, 'other.yaml'));
    await expect(add(LINES, await baseNow())).rejects.toMatchObject({ code: 'config_unwritable' });
    expect([await readFile(path, 'utf8'), (await readdir(folder)).length]).toEqual([TEXT, 2]);
  });

  it.runIf(process.getuid?.() !== 0)('refuses a file that may not be written', async () => {
    await chmod(path, 0o400);
    await expect(add(LINES, await baseNow())).rejects.toMatchObject({ code: 'config_unwritable' });
  });

  it.each([
    ['a file of messages', '- id: b\n  link: tcp:x:1\n  messages: ../../secrets.yaml\n'],
    ['a trace', '- id: b\n  link: "replay:/var/log/x.trace"\n'],
    ['a place for other programs', '- id: b\n  link: tcp:x:1\n  expose: [{ pty: /run/heartwire/x }]\n'],
  ])('refuses an entry that names %s', async (_, lines) => {
    await expect(add(lines)).rejects.toMatchObject({ code: 'config_names_file' });
  });

  it('takes messages that the file names already', async () => {
    await writeFile(path, `messages: mine.yaml\n${TEXT}`);
    const { problems } = await add('- id: b\n  match: { identity: "2" }\n  messages: mine.yaml\n');
    // It is not there, which is for the check to say.
    expect(problems).toEqual(
      expect.arrayContaining([expect.objectContaining({ code: 'config_unreadable' })]),
    );
  });

  it('refuses what makes the file larger than it may be', async () => {
    const filler = `# ${'x'.repeat(1_000)}\n`;
    const room = 4 * 1024 * 1024 - Buffer.byteLength(TEXT);
    await writeFile(
      path,
      `${filler.repeat(Math.floor(room / filler.length)) + '#'.repeat((room % filler.length) - 1)}\n${TEXT}`,
    );
    await expect(add()).rejects.toMatchObject({ code: 'config_too_large' });
    await writeFile(path, filler.repeat(5_000));
    await expect(add()).rejects.toMatchObject({ code: 'config_too_large' });
  });

  it('says that there is no file to change where the text came through something else', async () => {
    await rm(path);
    await symlink('/dev/null', path);
    await expect(add()).rejects.toMatchObject({ code: 'config_not_a_file' });
  });
});
