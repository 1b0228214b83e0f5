import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';
import type { Need } from './needs.ts';

/**
 * Looks for a Python that has these packages (`websockets, pytest`): there may be several Pythons on the PATH, and the system's is the one that
 * Debian's packages belong to. Missing, it is treated as `needs` treats a tool.
 */
export function needsPythonPackages(
  names: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Need {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const found = folders
    .map((folder) => join(folder, 'python3'))
    .find((path) => spawnSync(path, ['-c', `import ${names}`]).status === 0);
  if (found !== undefined) return { run: true, path: found };
  const run = env.HEARTWIRE_TEST_ALL === '1';
  if (!run) console.warn(`skipped: no python3 has ${names} (HEARTWIRE_TEST_ALL=1 makes that a failure)`);
  return { run, path: 'python3' };
}
