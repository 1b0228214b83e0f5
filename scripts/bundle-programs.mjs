// Makes one bundle of the command and of what programs import: both load what they need in a few files instead of some
// hundred, and share them, so that the package holds each thing once. Names and lines
// stay readable in stack traces, because nothing is minified.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = new URL('..', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));

const { dependencies, optionalDependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
/**
 * Packages of many files, of which every command loads some: bundled, they load in half the time, and what is not used
 * of them is left out. The others stay what npm installs.
 */
const BUNDLED = ['string-width', 'yaml', 'yargs', 'zod'];
const packages = Object.keys({ ...dependencies, ...optionalDependencies }).filter(
  (name) => !BUNDLED.includes(name),
);
const isOutside = (id) =>
  (isBuiltin(id) && id !== 'node:http') || packages.some((name) => id === name || id.startsWith(`${name}/`));

/** What `exports` of package.json names, by the file in dist/. */
const LIBRARY = {
  'lib/index': 'src/index.ts',
  'lib/client': 'src/client/index.ts',
  'lib/client-secret': 'src/client/secret.ts',
  'lib/testing': 'src/testing/index.ts',
};

/** A thread starts with a file, which is looked for beside the part that starts it. */
const THREADS = {
  'lib/parts/config-worker': 'src/app/reload/config-worker.ts',
  'lib/parts/history-worker': 'src/history/history-worker.ts',
  'lib/parts/write-worker': 'src/feed/writes/write-worker.ts',
};

/**
 * Work of a start that nothing asked for: `Intl.Segmenter` reads tables of a megabyte, and an `import` of `node:http` reads
 * all of its names, one of which loads the whole client behind `fetch`.
 */
const lazyStart = {
  name: 'lazy-start',
  transform(code, id) {
    if (!/[\\/]string-width[\\/]index\.js$/.test(id)) return undefined;
    const early = /const segmenter = new Intl\.Segmenter\(\);/;
    if (!early.test(code)) return undefined;
    const late = `let made;
const segmenter = { segment: (text) => (made ??= new Intl.Segmenter()).segment(text) };`;
    return { code: code.replace(early, late), map: null };
  },
  resolveId: (id) => (id === 'node:http' ? { id: '\0node:http', moduleSideEffects: false } : undefined),
  load(id) {
    if (id !== '\0node:http') return undefined;
    return `import { createRequire } from 'node:module';
export const { createServer, request, STATUS_CODES } = createRequire(import.meta.url)('node:http');`;
  },
};

const bundle = await rolldown({
  cwd: at('.'),
  plugins: [lazyStart],
  input: {
    'bin/heartwire': at('bin/heartwire.ts'),
    ...Object.fromEntries(
      Object.entries({ ...THREADS, ...LIBRARY }).map(([name, source]) => [name, at(source)]),
    ),
  },
  platform: 'node',
  external: isOutside,
  transform: { target: 'node20.19' },
  preserveEntrySignatures: 'allow-extension',
  // No file of src/ does anything when it is imported, unlike the program, so what a door offers and a command does not use is left out.
  treeshake: { moduleSideEffects: (id) => id === at('bin/program.ts') },
});
/** What one of these loads at once; a file for each set of commands is a hundred, and to find them takes as long as Node. */
const STARTS = [
  'bin/program.ts',
  'src/cli/bridge-run.ts',
  'src/cli/commands/decode.ts',
  ...Object.values(THREADS),
  ...Object.values(LIBRARY),
].map(at);

const NAMES = STARTS.map((file) => basename(file === at('src/index.ts') ? 'library' : file, '.ts'));

/** For each shared module, the starts that load it: one file for each set of them. */
function setsOf(chunks) {
  const byFile = new Map(chunks.map((chunk) => [chunk.fileName, chunk]));
  const sets = new Map();
  for (const [index, start] of STARTS.entries()) {
    const seen = new Set();
    const open = chunks.filter(({ moduleIds }) => moduleIds.includes(start));
    for (let chunk = open.pop(); chunk !== undefined; chunk = open.pop()) {
      if (seen.has(chunk)) continue;
      seen.add(chunk);
      open.push(...chunk.imports.map((file) => byFile.get(file)).filter((each) => each !== undefined));
      if (chunk.isEntry || chunk.isDynamicEntry) continue;
      for (const id of chunk.moduleIds) sets.set(id, [...(sets.get(id) ?? []), NAMES[index]]);
    }
  }
  return sets;
}

const { output: apart } = await bundle.generate({ format: 'esm' });
const sets = setsOf(apart.filter(({ type }) => type === 'chunk'));
for (const folder of ['dist/bin', 'dist/lib']) rmSync(at(folder), { recursive: true, force: true });
const { output } = await bundle.write({
  dir: at('dist'),
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: 'lib/parts/[name].js',
  codeSplitting: {
    includeDependenciesRecursively: false,
    groups: [{ debugName: 'shared', name: (id) => sets.get(id)?.join('-') ?? null }],
  },
  comments: false,
  sourcemap: true,
});
await bundle.close();

/** The licences of what is bundled go with it. */
function writeLicences() {
  const folders = output
    .flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []))
    .map((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id.replaceAll('\\', '/'))?.[0])
    .filter((folder) => folder !== undefined);
  const texts = [...new Set(folders)].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
    const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    return `${name} ${version} (${license})\n${text}`;
  });
  writeFileSync(at('dist/lib/LICENSES.txt'), texts.join('\n----\n\n'));
}
writeLicences();

/** The types that importing programs can reach, as the compiler wrote them; those of the rest stay at home. */
function copyTypes() {
  const from = at('dist/src');
  const to = at('dist/types');
  rmSync(to, { recursive: true, force: true });
  const seen = new Set();
  const open = Object.values(LIBRARY).map((source) => at(`dist/${source.replace(/\.ts$/, '.d.ts')}`));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, target] of text.matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*["'](\.[^"']+)["']/g))
      open.push(resolve(dirname(file), target.replace(/\.[jt]s$/, '.d.ts')));
    const copy = join(to, relative(from, file));
    mkdirSync(dirname(copy), { recursive: true });
    writeFileSync(copy, text);
  }
}
copyTypes();
