import { existsSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where the site has the files of the repository that its pages link to. */
export const FILES = 'files';

/**
 * Links from a page to a file that is no page (a service unit, a pack, an example) lead to a copy of that file, which
 * scripts/build-site.mjs makes of the folders in `COPIED`.
 */
export function filesOf(markdown, base) {
  markdown.core.ruler.push('files', (state) => {
    const folder = posix.join('docs', posix.dirname(state.env.relativePath ?? ''));
    for (const token of state.tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === 'link_open' ? token.attrGet('href') : null;
      if (href === null || /^(?:\w+:|#|\/)/.test(href)) continue;
      const [path = ''] = href.split('#');
      if (/\.md$/.test(path) && posix.join(folder, path).startsWith('docs/')) continue;
      const target = posix.join(folder, path).replace(/\/$/, '');
      if (!existsSync(posix.join(root, target))) throw new Error(`${state.env.relativePath}: no ${target}`);
      const end = statSync(posix.join(root, target)).isDirectory() ? '/' : '';
      token.attrSet('href', `${base}${FILES}/${target}${end}`);
      token.attrSet('target', '_blank');
    }
  });
}
