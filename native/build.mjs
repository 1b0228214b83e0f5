// Builds the native part where a C compiler is; npm runs it after an installation. Heartwire needs neither of them, so
// this never fails: where nothing is built, the reason is written beside it, for `heartwire doctor`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const SOURCES = ['group-send.c', 'node-api.h'];
const FLAGS = ['-O2', '-std=gnu11', '-Wall', '-Wextra', '-fPIC', '-fvisibility=hidden', '-shared'];
/** The functions of Node are found when it loads the file. */
const LINKED = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
const TIMEOUT_MS = 60_000;

const folder = join(here, 'build');
const target = join(folder, 'group-send.node');
const reason = join(folder, 'reason.txt');

/** Why nothing was built; undefined where it was. */
function build() {
  if (process.platform !== 'linux' && process.platform !== 'darwin')
    return `it is made for Linux and macOS, and this is ${process.platform}`;
  const compiler = process.env.CC || 'cc';
  // Other processes may have the file open, so a new one takes its place.
  const made = join(folder, `group-send-${process.pid}.node`);
  const args = [...FLAGS, ...LINKED, '-o', made, join(here, 'group-send.c')];
  const done = spawnSync(compiler, args, { encoding: 'utf8', timeout: TIMEOUT_MS });
  if (done.error !== undefined) return `there is no C compiler: ${done.error.message}`;
  if (done.status !== 0) {
    const [first = 'no output'] = `${done.stderr}`.trim().split('\n');
    return `the compiler ${compiler} failed: ${first}`;
  }
  renameSync(made, target);
  return undefined;
}

const modifiedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const isFresh =
  process.argv.includes('--if-stale') &&
  modifiedAt(target) > Math.max(...[...SOURCES, 'build.mjs'].map((name) => modifiedAt(join(here, name))));

if (!isFresh) {
  try {
    mkdirSync(folder, { recursive: true });
    rmSync(target, { force: true });
    const why = build();
    if (why === undefined) rmSync(reason, { force: true });
    else writeFileSync(reason, `${why}\n`);
    if (!process.argv.includes('--quiet'))
      console.log(why === undefined ? `built ${target}` : `not built: ${why}`);
  } catch (cause) {
    if (!process.argv.includes('--quiet')) console.log(`not built: ${cause.message}`);
  }
}
