import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../cli/check-io.ts';
import { PROJECT_ROOT, readProjectFile } from '../support/project-files.ts';

const [, messages = ''] =
  /```yaml\n(version: 1[\s\S]*?)```/.exec(readProjectFile('docs/reference/messages.md')) ?? [];
const [, program = ''] = /```ts\n([\s\S]*?)```/.exec(readProjectFile('docs/reference/sdk.md')) ?? [];

/** As a web project has it: no types of Node, the DOM, and every declaration checked. */
const OPTIONS = {
  target: 'es2022',
  lib: ['es2023', 'dom', 'dom.iterable'],
  module: 'esnext',
  moduleResolution: 'bundler',
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  types: [],
  paths: { 'heartwire/client': [join(PROJECT_ROOT, 'src/client/index.ts')] },
};

describe('the types of declared messages', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-types-'));
    await writeFile(join(folder, 'messages.yaml'), messages);
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: OPTIONS, files: ['program.ts'] }),
    );
    const { code, out } = await runCli(['types', 'messages.yaml'], folder);
    expect(code).toBe(0);
    await writeFile(join(folder, 'messages.ts'), out);
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** What the compiler says to a program beside them. */
  async function compile(text: string): Promise<string> {
    await writeFile(join(folder, 'program.ts'), text);
    return compileBy('tsconfig.json');
  }

  function compileBy(name: string): string {
    const compiler = join(PROJECT_ROOT, 'node_modules/typescript/bin/tsc');
    try {
      execFileSync(process.execPath, [compiler, '-p', join(folder, name)], { encoding: 'utf8' });
      return '';
    } catch (error) {
      return String((error as { readonly stdout: unknown }).stdout);
    }
  }

  it('type the view and the commands, in a project that has only the DOM', async () => {
    expect(program).toContain('connect<Devices>');
    expect(await compile(program)).toBe('');
  });

  it('let nothing pass that is not declared', async () => {
    const said = await compile(`
      import { connect } from 'heartwire/client';
      import type { Devices } from './messages.ts';
      const client = connect<Devices>('x');
      client.view.get('a')?.values?.telemetry?.pressure;
      client.command('a', 'explode');
      client.command('a', 'set_point', { target: 'warm' });
      client.view.get('a')?.status === 'asleep';
    `);
    for (const word of ["'pressure'", '"explode"', "'string' is not assignable to type 'number'", '"asleep"'])
      expect(said).toContain(word);
  });

  it('need neither the types of the DOM nor those of Node', async () => {
    const at = (name: string): string => join(PROJECT_ROOT, 'dist/src/client', name);
    const bare = {
      ...OPTIONS,
      lib: ['es2023'],
      paths: { 'heartwire/client': [at('index.d.ts')], 'heartwire/client/secret': [at('secret.d.ts')] },
    };
    await writeFile(
      join(folder, 'tsconfig.bare.json'),
      JSON.stringify({ compilerOptions: bare, files: ['bare.ts'] }),
    );
    await writeFile(
      join(folder, 'bare.ts'),
      `
      import { connect } from 'heartwire/client';
      import { openSecrets } from 'heartwire/client/secret';
      const client = connect('x', { decode: openSecrets({ keys: {} }) });
      // @ts-expect-error -- there is no such option
      client.command('a', 'explode', {}, { signals: 1 });
      client[Symbol.dispose]();
    `,
    );
    expect(compileBy('tsconfig.bare.json')).toBe('');
  });

  it('are not needed', async () => {
    const text = `
      import { connect } from 'heartwire/client';
      const client = connect('x', { WebSocket });
      const value: unknown = client.view.get('a')?.values?.telemetry?.pressure;
      client.command('a', 'explode', { now: true }, { signal: AbortSignal.timeout(1) }).then(({ fields }) => [value, fields.bang]);
    `;
    expect(await compile(text)).toBe('');
  });
});
