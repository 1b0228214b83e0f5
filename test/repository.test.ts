import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT_ROOT, projectFiles, readProjectFile } from './support/project-files.ts';

interface Manifest {
  readonly version: string;
  readonly files: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly scripts: Readonly<Record<string, string>>;
}

const TEXTS = ['.ts', '.mjs', '.md', '.yaml', '.yml', '.html', '.js', '.css', '.py', '.sh', '.trace', 'run'];
const DOCUMENTS = [
  'README.md',
  'README.zh-CN.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'docs/background/architecture.md',
  'docs/reference/errors.md',
];

/** Words that belong to one machine or one moment, and not into a project. */
const FOREIGN: ReadonlyArray<readonly [RegExp, string]> = [
  [/(?<![\w.])\/(?:work|home|Users|root)\/\w/, 'a path of one machine'],
  [/(?<![\w.])\/tmp\/\w/, 'a path of one machine'],
  [/\bC:\\Users\\/, 'a path of one machine'],
  [/\b(?:issue|ticket|task)s?\s+#?\d+\b/i, 'the number of an issue'],
  [/\b(?:TODO|FIXME|XXX)\b/, 'work left undone'],
];

const manifest: Manifest = JSON.parse(readProjectFile('package.json'));

/** The source of what is built: `dist/types/a.d.ts` comes from `src/a.ts`. What is bundled of many is itself looked for. */
function sourceOf(built: string): string {
  const path = posix.normalize(built);
  if (/^dist\/(?:lib|browser|types$)/.test(path)) return path;
  if (path.startsWith('dist/types/')) return path.replace('dist/types', 'src').replace(/\.d\.ts$/, '.ts');
  return path.startsWith('dist/') ? path.slice('dist/'.length).replace(/(?:\.d\.ts|\.js)$/, '.ts') : path;
}

function missing(paths: readonly string[]): readonly string[] {
  return paths.filter((path) => !existsSync(posix.join(PROJECT_ROOT, path)));
}

/** What a text holds that belongs elsewhere, as `path:line: what`. */
function foreignWords(path: string, text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      FOREIGN.filter(([pattern]) => pattern.test(line)).map(([, what]) => `${path}:${index + 1}: ${what}`),
    );
}

/** Targets of a document's relative links, from the project's root, without anchors. */
function relativeLinks(path: string, text: string): readonly string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^(?:[a-z]+:|#)/i.test(target))
    .map((target) => posix.join(posix.dirname(path), target.replace(/#.*$/, '')));
}

describe('the repository', () => {
  it('has the documents that a stranger looks for', () => {
    expect(missing(DOCUMENTS)).toEqual([]);
  });

  it('holds nothing of one machine or one moment', () => {
    // This file names the patterns themselves.
    const texts = projectFiles(['.'], TEXTS).filter((path) => path !== 'test/repository.test.ts');
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.flatMap((path) => foreignWords(path, readProjectFile(path)))).toEqual([]);
  });

  it('has no document with a link that leads nowhere', () => {
    const documents = projectFiles(['.'], ['.md']);
    const targets = documents.flatMap((path) => relativeLinks(path, readProjectFile(path)));
    expect(missing(targets)).toEqual([]);
  });

  it('names no document in its code that is not there', () => {
    const places = ['src', 'web', 'bin', 'clients', 'scripts', 'packs', 'examples', 'docs/deploy'];
    const named = projectFiles(places, ['']).flatMap((path) =>
      [...readProjectFile(path).matchAll(/(?<![\w/.-])docs\/[\w/-]+\.md/g)].map(([target]) => target),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(missing([...new Set(named)])).toEqual([]);
  });

  it('names no file in backticks that is not there', () => {
    const named = projectFiles(['.'], ['.md']).flatMap((path) =>
      [
        ...readProjectFile(path).matchAll(
          /`((?:docs|src|test|scripts|bench|bin|web|schemas)\/[\w./-]+\.\w+)`/g,
        ),
      ].map(([, target = '']) => target),
    );
    expect(missing([...new Set(named)])).toEqual([]);
  });
});

describe('the checks have teeth', () => {
  it.each([
    [`const log = '/${'work'}/main/x.log';`, 'a path of one machine'],
    [`writeFile('/${'tmp'}/x');`, 'a path of one machine'],
    [`// as ${'issue'} #2 says`, 'the number of an issue'],
    [`// ${'TO'}${'DO'}: later`, 'work left undone'],
  ])('%s', (line, what) => {
    expect(foreignWords('a.ts', `ok\n${line}\n`)).toEqual([`a.ts:2: ${what}`]);
  });

  it('and let pass what is usual', () => {
    const usual =
      "import { x } from '../work/x.ts'; const path = join(tmpdir(), 'a'); // issues of the field";
    expect(foreignWords('a.ts', usual)).toEqual([]);
    expect(relativeLinks('docs/a.md', '[a](b.md#c) [d](https://e.f/g) [h](#i) [j](../k.md)')).toEqual([
      'docs/b.md',
      'k.md',
    ]);
  });
});

describe('the package', () => {
  it('exports and runs what the build makes', () => {
    const targets = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === 'string' ? [entry] : Object.values(entry),
    );
    expect(missing([...targets, ...Object.values(manifest.bin)].map(sourceOf))).toEqual([]);
  });

  it('gives types before code', () => {
    for (const entry of Object.values(manifest.exports)) {
      if (typeof entry !== 'string') expect(Object.keys(entry)[0]).toBe('types');
    }
  });

  it('ships what a user needs, and neither tests nor benches', () => {
    const added = manifest.files.filter((path) => !path.startsWith('!'));
    expect(missing(added.map(sourceOf))).toEqual([]);
    expect([...manifest.files].sort()).toEqual(
      [
        '!dist/**/*.map',
        '!docs/images',
        '!docs/.vitepress',
        '!packs/**/*.golden.jsonl',
        'CHANGELOG.md',
        'devices.yaml',
        'dist/bin',
        'dist/browser',
        'dist/lib',
        'dist/types',
        'dist/web',
        'docs',
        'examples',
        'native/build.mjs',
        'native/group-send.c',
        'native/node-api.h',
        'packs',
        'schemas',
      ].sort(),
    );
  });

  it('has its version in the changelog', () => {
    expect(readProjectFile('CHANGELOG.md')).toContain(`## [${manifest.version}]`);
  });

  it('starts and tests with two commands', () => {
    expect(manifest.scripts).toMatchObject({ start: expect.any(String), test: expect.any(String) });
    expect(readProjectFile('README.md')).toMatch(/npm start[\s\S]*npm test/);
  });
});
