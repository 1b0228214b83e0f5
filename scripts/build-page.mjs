// Builds web/ into dist/web, and prints what a browser loads: for the first view, and for each page that is opened later.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
/** Of the first view, compressed. */
const FIRST_VIEW_BYTES = 150_000;

process.env.NODE_ENV = 'production';
// What tests import of the page is compiled for no one else.
rmSync(at('dist/web'), { recursive: true, force: true });
const { output } = await build({ configFile: at('web/vite.config.ts'), logLevel: 'warn' });

const sizes = new Map();
for (const { fileName } of output) {
  const bytes = readFileSync(at(`dist/web/${fileName}`));
  sizes.set(fileName, { raw: bytes.length, gzip: gzipSync(bytes).length });
}
const chunks = new Map(output.filter(({ type }) => type === 'chunk').map((chunk) => [chunk.fileName, chunk]));

/** A chunk, its style sheets, and all that it imports at once. */
function loadedWith(name, loaded = new Set()) {
  if (loaded.has(name)) return loaded;
  loaded.add(name);
  const chunk = chunks.get(name);
  for (const css of chunk?.viteMetadata?.importedCss ?? []) loaded.add(css);
  for (const each of chunk?.imports ?? []) loadedWith(each, loaded);
  return loaded;
}

for (const { fileName, imports, dynamicImports } of chunks.values()) {
  const outside = [...imports, ...dynamicImports].filter((each) => !chunks.has(each));
  if (outside.length === 0) continue;
  console.error(`${fileName} would load ${outside.join(', ')}, which no browser has.`);
  process.exit(1);
}

const entry = [...chunks.values()].find(({ isEntry }) => isEntry);
const first = loadedWith(entry.fileName);
first.add('index.html');
const sum = (names, key) => names.reduce((total, name) => total + (sizes.get(name)?.[key] ?? 0), 0);
const line = (label, names) =>
  console.error(
    `  ${label.padEnd(28)}${kB(sum(names, 'gzip')).padStart(9)} gzipped${kB(sum(names, 'raw')).padStart(10)}`,
  );
const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
line('first view', [...first]);
for (const { fileName, isDynamicEntry, facadeModuleId } of chunks.values()) {
  const name = facadeModuleId?.replace(/^.*\/(web\/src|src)\//, '');
  if (isDynamicEntry)
    line(
      `  + ${name}`,
      [...loadedWith(fileName)].filter((each) => !first.has(each)),
    );
}
const gzip = sum([...first], 'gzip');
if (gzip > FIRST_VIEW_BYTES) {
  console.error(
    `The first view is ${kB(gzip)} gzipped, more than ${kB(FIRST_VIEW_BYTES)}: load more of it later.`,
  );
  process.exit(1);
}

/** The inspector in one file: it is opened from a disk, where a browser loads neither modules nor parts of a program. */
async function writeAlone() {
  const made = await build({
    configFile: at('web/vite.config.ts'),
    // What only modules have is not used in it, and would be warned about.
    logLevel: 'error',
    publicDir: false,
    build: {
      write: false,
      emptyOutDir: false,
      cssCodeSplit: false,
      rolldownOptions: {
        input: at('web/src/inspector/alone.tsx'),
        output: { format: 'iife', codeSplitting: false },
      },
    },
  });
  const [{ output: parts }] = [made].flat();
  const script = parts.find(({ type }) => type === 'chunk').code.replaceAll('</script', '<\\/script');
  const style = parts
    .filter(({ fileName }) => fileName.endsWith('.css'))
    .map(({ source }) => source)
    .join('\n');
  const head =
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Heartwire: frames</title>';
  const html = `<!doctype html>\n<html lang="en"><head>${head}<style>${style}</style></head><body><div id="app"></div><script>${script}</script></body></html>\n`;
  writeFileSync(at('dist/web/inspect.html'), html);
  console.error(
    `  ${'inspect.html, by itself'.padEnd(28)}${kB(gzipSync(html).length).padStart(9)} gzipped${kB(html.length).padStart(10)}`,
  );
}
await writeAlone();
