// Makes a checkout ready to run: installs what package-lock.json names and compiles what changed.
// Uses nothing but Node, because on a fresh clone there is nothing else; quick when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `heartwire needs Node 20.19 or later; this is ${process.version}. Install a newer Node and try again.`,
  );
  process.exit(2);
}

/** Runs one command with its output on standard error, so that standard output stays the program's own. */
function run(what, command, args) {
  const done = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) {
    console.error(`heartwire: ${what} failed (${command} ${args.join(' ')}).`);
    process.exit(1);
  }
}

const stamp = at('node_modules', '.heartwire-installed');
const wanted = createHash('sha256')
  .update(readFileSync(at('package-lock.json')))
  .update(process.versions.modules)
  .digest('hex');
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.error('heartwire: installing packages (once) ...');
  run('installing packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, wanted);
}

/** The newest modification time below a folder, in ms; folders count too, so that a deletion is seen. */
function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Whether something changed since the stamp of a build was written. */
function isStale(stamp, sources) {
  if (!existsSync(stamp)) return true;
  const present = sources.map((name) => at(name)).filter(existsSync);
  return Math.max(...present.map(newest)) > statSync(stamp).mtimeMs;
}

const clean = process.argv.includes('--clean');
if (clean) rmSync(at('dist'), { recursive: true, force: true });
mkdirSync(at('dist'), { recursive: true });
const common = ['src', 'scripts', 'tsconfig.json', 'package-lock.json'];
const startedAt = new Date();

// Types that are derived from a contract may not fit it before they are written again: that is no reason not to write them.
if (process.argv.includes('--compile')) {
  const tsc = at('node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', '.'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 2],
  });
  if (status !== 0)
    console.error('heartwire: there are errors of types; what is derived is written all the same.');
  process.exit(0);
}

const built = at('dist', '.built');
if (isStale(built, [...common, 'bin', 'bench', 'test'])) {
  console.error('heartwire: building ...');
  run('building', process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
  run('bundling the client', process.execPath, [at('scripts', 'bundle-client.mjs')]);
  run('bundling the programs', process.execPath, [at('scripts', 'bundle-programs.mjs')]);
  writeFileSync(built, startedAt.toISOString());
}

// The tests and the benches measure what an installation builds.
run('building the native part', process.execPath, [at('native', 'build.mjs'), '--if-stale', '--quiet']);

const builtPage = at('dist', '.built-page');
if (isStale(builtPage, [...common, 'web', 'test/web'])) {
  console.error('heartwire: building the page ...');
  run('checking the page', process.execPath, [at('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'web']);
  run('building the page', process.execPath, [at('scripts', 'build-page.mjs')]);
  writeFileSync(builtPage, startedAt.toISOString());
}
