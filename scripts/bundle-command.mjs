// Makes one bundle of the command: a command loads what it needs in a few files instead of some hundred.
// Packages stay what npm installs. Names and lines stay readable in stack traces, because nothing is minified.
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = new URL('..', import.meta.url);
const at = (path) => fileURLToPath(new URL(path, root));

const { dependencies, optionalDependencies } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const packages = Object.keys({ ...dependencies, ...optionalDependencies });
const isOutside = (id) => isBuiltin(id) || packages.some((name) => id === name || id.startsWith(`${name}/`));

const bundle = await rolldown({
  cwd: at('.'),
  input: {
    heartwire: at('bin/heartwire.ts'),
    // A thread starts with a file, which the command looks for beside its own.
    'config-worker': at('src/app/reload/config-worker.ts'),
  },
  platform: 'node',
  external: isOutside,
  transform: { target: 'node20.19' },
  // No file of src/ does anything when it is imported, so what a door offers and a command does not use is left out.
  treeshake: { moduleSideEffects: false },
});
await bundle.write({
  dir: at('dist/bin'),
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name].js',
  comments: false,
  sourcemap: true,
  cleanDir: true,
});
await bundle.close();
