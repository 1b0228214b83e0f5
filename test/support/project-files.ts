import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const PROJECT_ROOT = rootAbove(fileURLToPath(new URL('.', import.meta.url)));

/** Folders that are not ours to judge: installed, built, or the version control's. */
const FOREIGN = new Set(['node_modules', 'dist', '.git', 'coverage', '.temp']);

function rootAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(join(folder, '..'));
}

/** The text of a file of the project. */
export function readProjectFile(path: string): string {
  return readFileSync(join(PROJECT_ROOT, path), 'utf8');
}

/** The files below some paths of the project that end in one of `endings`, from the root and with forward slashes. */
export function projectFiles(below: readonly string[], endings: readonly string[]): readonly string[] {
  const found: string[] = [];
  const visit = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !FOREIGN.has(entry.name)) visit(path);
      else if (entry.isFile() && endings.some((ending) => entry.name.endsWith(ending))) {
        found.push(relative(PROJECT_ROOT, path).split(sep).join('/'));
      }
    }
  };
  for (const path of below) if (existsSync(join(PROJECT_ROOT, path))) visit(join(PROJECT_ROOT, path));
  return found.sort();
}
