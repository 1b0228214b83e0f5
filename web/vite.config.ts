import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The bridge that `npx vite web` shows, for work on the page itself. */
const bridge = process.env.HEARTWIRE_URL ?? 'http://127.0.0.1:8080';

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
  },
  server: {
    proxy: {
      '/ws': { target: bridge, ws: true, changeOrigin: true },
      '/api': { target: bridge, changeOrigin: true },
    },
  },
});
