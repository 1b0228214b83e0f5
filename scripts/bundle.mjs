// Makes one file each of `heartwire/client` and `heartwire/client/secret` for browsers: no build on their side, no
// dependency, one request.
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
for (const [entry, name] of [
  ['index.ts', 'heartwire-client.js'],
  ['secret.ts', 'heartwire-client-secret.js'],
]) {
  const bundle = await rolldown({ input: at(`src/client/${entry}`), platform: 'browser' });
  await bundle.write({ file: at(`dist/src/client/${name}`), format: 'esm', minify: true });
  await bundle.close();
}
