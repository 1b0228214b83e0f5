// Makes one file each of `heartwire/client` and `heartwire/client/secret` for browsers: no build on their side, no
// dependency, one request.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/**
 * Properties between the parts of the client, which need no names in the file. test/client/bundle.test.ts holds that none
 * is a key of the wire, a name that callers use, or spoken of as a text.
 */
const INTERNAL = `
  abandon acknowledge activity afterMs answered applied apply begin burst callbacks closeSocket covers deadline
  disconnected dispatch done effect ended expire final firstMissing getToken giveUp giveUpAtMs handle hasToken judge
  keepOnly nextDeadline notResynced notTaken nowSynced openSocket patterns perSecond ports receive received reconcile
  refused remove sessionLost settle settled subscribing take terms tokenReceived unsent wake`;

const root = new URL('..', import.meta.url);
await mkdir(new URL('dist/browser', root), { recursive: true });
await write('src/client/index.ts', 'heartwire-client.js', {
  include: new RegExp(`^(?:${INTERNAL.trim().split(/\s+/).join('|')})$`),
});
await write('src/client/secret.ts', 'heartwire-client-secret.js');

async function write(source, name, mangleProps) {
  const bundle = await rolldown({ input: fileURLToPath(new URL(source, root)), platform: 'browser' });
  const { output } = await bundle.generate({
    format: 'esm',
    minify: { compress: true, mangle: true, ...(mangleProps && { mangleProps }) },
  });
  await bundle.close();
  // What was said to the bundler about purity says nothing to a browser.
  const text = output[0].code.replaceAll('/* @__PURE__ */ ', '');
  await writeFile(fileURLToPath(new URL(`dist/browser/${name}`, root)), text);
}
