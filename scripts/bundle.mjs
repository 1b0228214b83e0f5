// Makes one file of `heartwire/client` for browsers: no build on their side, no dependency, one request.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** Properties between the parts of the client, never of its callers or of the wire: they need no names. */
const INTERNAL = `
  abandon acknowledge afterMs answered apply asked atMs begin burst changes closeSocket covers deadline disconnected dispatch done
  effect end ended expire firstMissing getToken giveUp giveUpAtMs handle hasToken heard judge keepOnly lost nextDeadline
  notResynced notTaken nowSynced openSocket patterns perSecond ports read received reconcile refused remove repeated resync
  retryAtMs serve sessionLost settle settled stale start subscribing synced take tap tell terms tokenCame told unreadable unsent
  untilMs wake wanted`;

const root = new URL('..', import.meta.url);
const bundle = await rolldown({
  input: fileURLToPath(new URL('src/client/index.ts', root)),
  platform: 'browser',
});
const { output } = await bundle.generate({
  format: 'esm',
  minify: {
    compress: true,
    mangle: true,
    mangleProps: { include: new RegExp(`^(?:${INTERNAL.trim().split(/\s+/).join('|')})$`) },
  },
});
await bundle.close();
// What was said to the bundler about purity says nothing to a browser.
const text = output[0].code.replaceAll('/* @__PURE__ */ ', '');
await writeFile(fileURLToPath(new URL('dist/src/client/heartwire-client.js', root)), text);
