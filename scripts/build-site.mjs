// Makes dist/site of docs/: the pages in both languages with search, the files that they link to, and the inspector.
// SITE_BASE=/heartwire/ says below which path it is served. A link that leads nowhere ends it with 1.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vitepress';
import { FILES } from '../docs/.vitepress/files.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
/** What pages link to beside pages. */
const COPIED = ['docs/deploy', 'examples', 'packs', 'schemas', 'devices.yaml', 'clients/python'];
const site = at('dist/site');

process.env.NODE_ENV = 'production';
rmSync(site, { recursive: true, force: true });
await build(at('docs'));
for (const path of COPIED) {
  cpSync(at(path), `${site}/${FILES}/${path}`, {
    recursive: true,
    filter: (each) => !/__pycache__|node_modules/.test(each),
  });
  if (statSync(at(path)).isDirectory()) list(`${site}/${FILES}/${path}`, path);
}
mkdirSync(`${site}/demo`, { recursive: true });
if (!existsSync(at('dist/web/inspect.html'))) throw new Error('Build the page first: npm run build.');
cpSync(at('dist/web/inspect.html'), `${site}/demo/inspect.html`);

// Reference and background have English only: their Chinese addresses lead to the Chinese start, as in theme/index.mjs.
for (const kind of ['reference', 'background']) {
  mkdirSync(`${site}/zh-CN/${kind}`, { recursive: true });
  for (const name of readdirSync(`${site}/${kind}`).filter((each) => each.endsWith('.html'))) {
    const forward = '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=../">';
    writeFileSync(`${site}/zh-CN/${kind}/${name}`, `${forward}<a href="../">中文文档</a>`);
  }
}

/** A folder has a page that lists it, as a link to a folder needs one. */
function list(folder, title) {
  const names = readdirSync(folder);
  for (const name of names)
    if (statSync(`${folder}/${name}`).isDirectory()) list(`${folder}/${name}`, `${title}/${name}`);
  const items = names.map((name) => `<li><a href="./${name}">${name}</a></li>`).join('');
  writeFileSync(
    `${folder}/index.html`,
    `<!doctype html><meta charset="utf-8"><title>${title}</title><h1>${title}</h1><ul>${items}</ul>`,
  );
}
