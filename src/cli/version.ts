import { existsSync, readFileSync } from 'node:fs';

/** The version of this package; its package.json is the nearest one above, in the sources as in `dist`. */
export function packageVersion(): string {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const file = new URL('package.json', folder);
    if (existsSync(file)) {
      const { version } = JSON.parse(readFileSync(file, 'utf8'));
      return String(version);
    }
    if (folder.pathname === '/' || folder.href === new URL('..', folder).href) return 'unknown';
  }
}
