import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What a bridge keeps in the folder that it is started in, unless its configuration names others. */
const KEPT = ['history', 'incidents', 'traces', 'files'];

const present = (): string[] => KEPT.filter((name) => existsSync(join(root, name)));

/** A run of the tests fails where a program that a test starts keeps its data beside the sources. */
export default function setup(): () => void {
  const before = present();
  return () => {
    const left = present().filter((name) => !before.includes(name));
    if (left.length === 0) return;
    // Vitest prints what a teardown throws, and ends well all the same.
    process.exitCode = 1;
    throw new Error(
      `the tests left ${left.join(', ')} in the folder of the project; give what they start a folder of its own (cwd)`,
    );
  };
}
