import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { WriteSome } from './write-board.ts';

/** The native part, or why there is none. */
export type NativeWrites =
  | { readonly on: true; readonly file: string; readonly writeSome: WriteSome }
  | { readonly on: false; readonly why: string };

const FILE = 'build/group-send.node';

/** Loads what `native/build.mjs` built at the installation. */
export function loadNativeWrites(): NativeWrites {
  const folder = nativeFolder();
  if (folder === undefined) return { on: false, why: 'the package has no folder `native`' };
  const file = fileURLToPath(new URL(FILE, folder));
  if (!existsSync(file)) return { on: false, why: reasonOf(folder) };
  try {
    // What the file exports is checked here.
    const { writeSome } = createRequire(import.meta.url)(file) as { writeSome?: WriteSome };
    if (writeSome !== undefined) return { on: true, file, writeSome };
    return { on: false, why: `${file} is of another version` };
  } catch (cause) {
    return { on: false, why: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** Beside the nearest package.json above, in the sources as in `dist`. */
function nativeFolder(): URL | undefined {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    if (existsSync(new URL('package.json', folder))) {
      const native = new URL('native/', folder);
      return existsSync(native) ? native : undefined;
    }
    if (folder.pathname === '/' || folder.href === new URL('..', folder).href) return undefined;
  }
}

function reasonOf(folder: URL): string {
  try {
    return readFileSync(new URL('build/reason.txt', folder), 'utf8').trim();
  } catch {
    return 'it was not built at the installation, which may have skipped scripts';
  }
}
