import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMPILERS = ['cc', 'gcc', 'clang'] as const;

/** A program, or why there is none. */
export type CProgram = { readonly path: string; readonly compiler: string } | { readonly missing: string };

/** The folder of the checkout: compiled benches lie in `dist/`, and the C sources beside their TypeScript. */
export const root = ((): string => {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'bench/support/subscribers.c'))) return folder;
    if (folder === dirname(folder)) throw new Error('bench/support/subscribers.c is not beside this bench');
  }
})();

const compiled = new Map<string, CProgram>();
let folder: string | undefined;

function compile(name: string): CProgram {
  if (platform() !== 'linux')
    return { missing: `bench/support/${name}.c uses epoll, and this is ${platform()}` };
  const compiler = COMPILERS.find((each) => spawnSync(each, ['--version']).status === 0);
  if (compiler === undefined) return { missing: `no C compiler (${COMPILERS.join(', ')})` };
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'heartwire-bench-c-'));
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  const path = join(folder, name);
  const { status, stderr } = spawnSync(compiler, ['-O2', '-o', path, join(root, `bench/support/${name}.c`)], {
    encoding: 'utf8',
  });
  if (status !== 0) return { missing: `${compiler} does not compile bench/support/${name}.c: ${stderr}` };
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout.split('\n')[0] ?? compiler;
  return { path, compiler: version };
}

/** Compiles `bench/support/NAME.c` once in this run, into a folder that goes with it. */
export function cProgram(name: 'subscribers' | 'peer-server'): CProgram {
  const known = compiled.get(name) ?? compile(name);
  compiled.set(name, known);
  return known;
}

/** The version of an installed package. */
export function versionOf(name: string): string {
  const text = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
  return `${name} ${String(Object(JSON.parse(text)).version)}`;
}
