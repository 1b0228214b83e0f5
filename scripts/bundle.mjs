// Makes one file of `heartwire/client` for browsers: no build on their side, no dependency, one request.
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = new URL('..', import.meta.url);
const bundle = await rolldown({
  input: fileURLToPath(new URL('src/client/index.ts', root)),
  platform: 'browser',
});
await bundle.write({
  file: fileURLToPath(new URL('dist/src/client/heartwire-client.js', root)),
  format: 'esm',
  minify: true,
});
await bundle.close();
