import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = process.env.HEARTWIRE_BIN ?? `${root}/dist/bin/heartwire.js`;

/** The program as it is installed: compiled, in a process of its own. */
function start(...argv: string[]): ChildProcess {
  expect(existsSync(program), 'npm test compiles the program first; so does npm run build').toBe(true);
  return spawn(process.execPath, [program, ...argv], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, err };
}

describe('the program', () => {
  it('checks the example and exits with 0', async () => {
    expect(await finish(start('check'))).toEqual({
      code: 0,
      out: 'devices.yaml: 3 devices, 1 listener, no problems\n',
      err: '',
    });
  });

  it('exits with 2 for wrong usage, results and hints kept apart', async () => {
    const { code, out, err } = await finish(start('chekc'));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('Did you mean check?');
  });

  it('finds its own version', async () => {
    expect(await finish(start('--version'))).toEqual({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      err: '',
    });
  });

  it('ends quietly when its reader goes away', async () => {
    const child = start('schema', 'devices');
    child.stdout?.destroy();
    expect(await finish(child)).toEqual({ code: 0, out: '', err: '' });
  });
});

const keeps = 'enableCompileCache' in module;
if (!keeps) console.warn('skipped: this release of Node keeps nothing of a program between two starts');

describe.runIf(keeps)('what Node keeps of the program', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-cache-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const check = (env: Record<string, string>) =>
    finish(
      spawn(process.execPath, [program, 'check'], {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
        // On Windows and macOS the folder is found in other ways; there the first one is the home.
        env: { ...process.env, HOME: folder, LOCALAPPDATA: folder, XDG_CACHE_HOME: folder, ...env },
      }),
    );
  const kept = async () =>
    (await readdir(folder, { recursive: true })).filter((name) => name.includes('heartwire'));

  it('is in a folder of the user', async () => {
    expect(await check({})).toMatchObject({ code: 0, err: '' });
    expect((await kept()).length).toBeGreaterThan(10);
  });

  it('is nothing where it is switched off', async () => {
    expect(await check({ NODE_DISABLE_COMPILE_CACHE: '1' })).toMatchObject({ code: 0, err: '' });
    expect(await kept()).toEqual([]);
  });

  it('is not missed where that folder is no folder', async () => {
    await writeFile(join(folder, 'file'), '');
    const nowhere = join(folder, 'file');
    const env = { HOME: nowhere, LOCALAPPDATA: nowhere, XDG_CACHE_HOME: nowhere };
    expect(await check(env)).toMatchObject({ code: 0, err: '' });
  });
});
