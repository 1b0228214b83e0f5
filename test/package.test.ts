import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT_ROOT, readProjectFile } from './support/project-files.ts';

const full = process.env.HEARTWIRE_TEST_ALL === '1';
if (!full) console.warn('skipped: packing and installing take a minute (HEARTWIRE_TEST_ALL=1 does it)');

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
}

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

const manifest: Manifest = JSON.parse(readProjectFile('package.json'));
/** As they are imported. */
const entries = Object.keys(manifest.exports).map((key) => `heartwire${key.slice(1)}`);
const inNodeModules = (path: string): string => join(PROJECT_ROOT, 'node_modules', path);

let folder = '';
let app = '';
let tarball = '';
let packed: Packed | undefined;

function run(command: string, args: readonly string[], cwd: string): SpawnSyncReturns<string> {
  return spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0' } });
}

/** What was printed, of a command that did its work. */
function done(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = run(command, args, cwd);
  expect([basename(command), status, status === 0 ? '' : `${stdout}${stderr}`]).toEqual([
    basename(command),
    0,
    '',
  ]);
  return stdout;
}

const node = (args: readonly string[], cwd = app): string => done(process.execPath, args, cwd);

/** Packing builds anew, and must not take away what other tests run on: it is done in a copy. */
function pack(): Packed {
  const copy = join(folder, 'source');
  const left = new Set(['node_modules', 'dist', '.git'].map((name) => join(PROJECT_ROOT, name)));
  cpSync(PROJECT_ROOT, copy, { recursive: true, filter: (path) => !left.has(path) });
  symlinkSync(inNodeModules('.'), join(copy, 'node_modules'));
  // The printed list comes last, behind what the build said.
  const said = done('npm', ['pack', '--json', '--pack-destination', folder], copy);
  // The shape that npm prints, as these tests read it.
  const [first] = JSON.parse(said.slice(said.indexOf('['))) as readonly Packed[];
  if (first === undefined) throw new Error(`nothing was packed: ${said}`);
  return first;
}

beforeAll(() => {
  if (!full) return;
  folder = mkdtempSync(join(tmpdir(), 'heartwire-package-'));
  packed = pack();
  tarball = join(folder, packed.filename);
  app = join(folder, 'app');
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n');
  done('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', tarball], app);
}, 600_000);
afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true });
});

describe.runIf(full)('the package', () => {
  it('holds what a user needs, and nothing of the workshop', () => {
    const paths = packed?.files.map(({ path }) => path) ?? [];
    expect(paths).toEqual(
      expect.arrayContaining([
        'package.json',
        'README.md',
        'LICENSE',
        'dist/bin/heartwire.js',
        'dist/lib/index.js',
        'dist/types/index.d.ts',
        'dist/browser/heartwire-client.js',
        'dist/web/index.html',
        'schemas/devices.schema.json',
        'docs/deploy/heartwire.service',
        'packs/mh-z19/messages.yaml',
      ]),
    );
    const foreign = /\.map$|\.tsbuildinfo$|(?:^|\/)(?:test|bench|fixtures|scripts|node_modules)\/|\.test\./;
    expect(paths.filter((path) => foreign.test(path))).toEqual([]);
    expect(packed?.unpackedSize).toBeLessThan(8 * 1024 * 1024);
  });

  it('has no link in its documents that leads out of it', () => {
    const paths = new Set(packed?.files.map(({ path }) => path));
    const documents = [...paths].filter((path) => path.startsWith('docs/') && path.endsWith('.md'));
    const missing = documents.flatMap((path) => {
      const text = readFileSync(join(app, 'node_modules/heartwire', path), 'utf8');
      const targets = [...text.matchAll(/\]\((?!\w+:|#)([^)\s#]+)/g)].map(([, target = '']) => target);
      const resolved = targets.map((target) => join(dirname(path), target).replace(/\/$/, ''));
      return resolved.filter(
        (target) => ![...paths].some((each) => each === target || each.startsWith(`${target}/`)),
      );
    });
    expect(missing).toEqual([]);
  });

  it('brings a command that runs', () => {
    expect(done('npx', ['--no-install', 'heartwire', '--version'], app)).toBe(`${manifest.version}\n`);
  });

  it('checks and runs a bridge in an empty folder, and stops when it is told to', async () => {
    writeFileSync(join(app, 'devices.yaml'), 'listeners:\n  - link: tcp-listen:127.0.0.1:0\n');
    const program = join(app, 'node_modules/heartwire/dist/bin/heartwire.js');
    expect(node([program, 'check'])).toContain('no problems');
    const bridge = spawn(process.execPath, [program, 'run', '--port', '0', '--quiet'], { cwd: app });
    let out = '';
    bridge.stdout.on('data', (text) => {
      out += String(text);
    });
    const ended = once(bridge, 'exit');
    try {
      await expect.poll(() => out).toContain('Heartwire is at');
      const url = /Heartwire is at (\S+)/.exec(out)?.[1] ?? '';
      const health = await (await fetch(`${url}/healthz`)).json();
      expect(health).toMatchObject({ status: 'ok', version: manifest.version });
      expect(await (await fetch(url)).text()).toContain('<title>Heartwire</title>');
    } finally {
      bridge.kill('SIGTERM');
    }
    expect(await ended).toEqual([0, null]);
  });

  it.each(entries)('gives %s to who imports it', (entry) => {
    const how = entry.endsWith('.json') ? ", { with: { type: 'json' } }" : '';
    const script = `console.log(Object.keys(await import('${entry}'${how})).join(' '))`;
    expect(node(['--no-warnings', '--input-type=module', '-e', script]).trim()).not.toBe('');
  });

  it('has types with which a strict program compiles', () => {
    const imports = entries
      .filter((entry) => !entry.endsWith('.json'))
      .map(
        (entry, at) =>
          `import * as entry${at} from '${entry}';\nexport const keys${at} = Object.keys(entry${at});`,
      );
    const use = [
      "import { Bridge, HeartwireError, type BridgeOptions } from 'heartwire';",
      'export const make = (options: BridgeOptions): Bridge => new Bridge(options);',
      "export const error: HeartwireError = new HeartwireError('bad_argument', 'no');",
      '// @ts-expect-error A code that is none.',
      "export const wrong = new HeartwireError('nonsense', 'no');",
    ];
    writeFileSync(join(app, 'consumer.ts'), [...imports, ...use, ''].join('\n'));
    const settings = {
      compilerOptions: {
        target: 'es2023',
        module: 'nodenext',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noEmit: true,
        typeRoots: [inNodeModules('@types')],
        types: ['node'],
      },
      files: ['consumer.ts'],
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify(settings));
    node([inNodeModules('typescript/bin/tsc'), '-p', app]);
  });

  it('has nothing that publint would fix', () => {
    expect(node([inNodeModules('publint/src/cli.js'), 'run', tarball, '--strict'])).toContain('All good!');
  });

  it('resolves to its types in every way that a module is looked for', () => {
    const attw = inNodeModules('@arethetypeswrong/cli/dist/index.js');
    const said = JSON.parse(node([attw, tarball, '--profile', 'esm-only', '--format', 'json']));
    expect(Object.keys(said.analysis.entrypoints)).toHaveLength(entries.length);
  });
});
