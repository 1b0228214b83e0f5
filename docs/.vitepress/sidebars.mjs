import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const docs = fileURLToPath(new URL('..', import.meta.url));

const KINDS = {
  en: { start: 'Start', 'how-to': 'How-to', reference: 'Reference', background: 'Background' },
  'zh-CN': { start: '入门', 'how-to': '操作指南' },
};

/** The pages of each kind, in the order in which its `index.md` links to them; the others behind these. */
export function sidebars(language) {
  const prefix = language === 'en' ? '' : `${language}/`;
  return Object.fromEntries(
    Object.entries(KINDS[language]).map(([kind, text]) => [
      `/${prefix}${kind}/`,
      [{ text, link: `/${prefix}${kind}/`, items: pagesOf(`${prefix}${kind}`) }],
    ]),
  );
}

function pagesOf(folder) {
  const there = readdirSync(`${docs}/${folder}`).filter(
    (name) => name.endsWith('.md') && name !== 'index.md',
  );
  const index = readFileSync(`${docs}/${folder}/index.md`, 'utf8');
  const listed = [...index.matchAll(/^(?:-|\d\.) \[[^\]]*\]\(([\w-]+\.md)\)/gm)].map(([, name]) => name);
  return [...new Set([...listed.filter((name) => there.includes(name)), ...there])].map((name) => ({
    text:
      /^# (.*)$/m.exec(readFileSync(`${docs}/${folder}/${name}`, 'utf8'))?.[1].replaceAll('`', '') ?? name,
    link: `/${folder}/${name.replace(/\.md$/, '')}`,
  }));
}
