import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The bridge that `npx vite web` shows, for work on the page itself. */
const bridge = process.env.HEARTWIRE_URL ?? 'http://127.0.0.1:8080';

/** What the bridge needs and the page does not: left out with the doors that name it. A chunk that kept one would not load. */
const { dependencies } = JSON.parse(readFileSync(at('../package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};
const ALSO_OF_THE_PAGE = new Set(['yaml', 'zod']);
const ofTheBridge = (id: string): boolean =>
  isBuiltin(id) || (Object.hasOwn(dependencies, id) && !ALSO_OF_THE_PAGE.has(id));

export default defineConfig({
  root: at('.'),
  // Relative, so that a proxy may put the page below a path of its own.
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: at('../dist/web'),
    emptyOutDir: true,
    target: 'es2023',
    // No inline script, which the policy of the page does not admit.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_000,
    reportCompressedSize: false,
    rolldownOptions: {
      external: ofTheBridge,
      treeshake: {
        // No file of the bridge's sources does anything when it is imported, so what a door offers and the page does not use is left out,
        // and with it what only Node has.
        moduleSideEffects: (id, external) =>
          !external && (id.startsWith(at('.')) || !id.startsWith(at('../src'))),
      },
    },
  },
  server: {
    proxy: {
      '/ws': { target: bridge, ws: true, changeOrigin: true },
      '/api': { target: bridge, changeOrigin: true },
    },
  },
});
