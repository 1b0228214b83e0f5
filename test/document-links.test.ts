import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { slug } from '../docs/.vitepress/slug.mjs';
import { PROJECT_ROOT, projectFiles, readProjectFile } from './support/project-files.ts';
import { blocksOf } from './support/walkthrough.ts';

const PAGES = [
  ...projectFiles(['docs', 'clients', 'examples'], ['.md']),
  ...projectFiles(['.'], ['.md']).filter((path) => !path.includes('/')),
];

/** A page without its blocks of code, whose `#` begin no headings and whose brackets are no links. */
const prose = (text: string): string => text.replace(/^( *)```[\s\S]*?^\1```$/gm, '');

/** The anchors of a page: of its headings, numbered where two are alike, and written ones. */
function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set([...prose(text).matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id));
  for (const [, heading = ''] of prose(text).matchAll(/^#{1,6} (.*)$/gm)) {
    const base = slug(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'));
    let anchor = base;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${base}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Links of a page to others of the project that lead nowhere, as `page: target`. */
function deadLinks(path: string, text: string): readonly string[] {
  const targets = [...prose(text).matchAll(/\]\(((?!\w+:)[^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.flatMap((target) => {
    const [file = '', anchor] = target.split('#');
    const page = file === '' ? path : posix.join(posix.dirname(path), file);
    if (!existsSync(posix.join(PROJECT_ROOT, page))) return [`${path}: ${target}`];
    if (anchor === undefined || !page.endsWith('.md')) return [];
    const found = anchorsOf(file === '' ? text : readProjectFile(page)).has(anchor);
    return found ? [] : [`${path}: ${target}`];
  });
}

describe('the links of the documents', () => {
  it('lead to pages and headings that are there', () => {
    expect(PAGES.length).toBeGreaterThan(60);
    expect(PAGES.flatMap((path) => deadLinks(path, readProjectFile(path)))).toEqual([]);
  });

  it('are found where they lead nowhere', () => {
    const text = '# A b!\n[x](#a-b) [y](#c) [z](none.md)\n```md\n[w](none.md)\n```\n';
    expect(deadLinks('docs/index.md', text)).toEqual(['docs/index.md: #c', 'docs/index.md: none.md']);
  });

  it('bring a reader from the index of a kind to each of its pages', () => {
    for (const kind of ['start', 'how-to', 'reference', 'background', 'zh-CN/start', 'zh-CN/how-to']) {
      const index = readProjectFile(`docs/${kind}/index.md`);
      const pages = projectFiles([`docs/${kind}`], ['.md']).map((path) => posix.basename(path));
      expect(pages.filter((page) => page !== 'index.md' && !index.includes(`](${page})`))).toEqual([]);
    }
  });
});

/** What runs: a block without its comments, which are written in the language of the page. */
const code = (text: string): string =>
  text
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s+)(?:#(?!!)|\/\/) .*$/, '').trimEnd())
    .filter((line) => line.trim() !== '')
    .join('\n');

describe('the pages in Chinese', () => {
  const english = projectFiles(['docs/start', 'docs/how-to'], ['.md']);

  it('are the same as those in English', () => {
    const chinese = projectFiles(['docs/zh-CN'], ['.md']);
    expect(chinese).toEqual(
      ['docs/index.md', ...english].map((path) => path.replace('docs/', 'docs/zh-CN/')).sort(),
    );
  });

  it.each([...english, 'docs/index.md'])('%s has the same code, which the tests follow, in both', (path) => {
    const of = (page: string) =>
      blocksOf(readProjectFile(page)).map(({ language, text }) => `${language}\n${code(text)}`);
    expect(of(path.replace('docs/', 'docs/zh-CN/'))).toEqual(of(path));
  });

  it.each([...english, 'docs/index.md'])('%s has as many headings, and is written in Chinese', (path) => {
    const headings = (page: string) => prose(readProjectFile(page)).match(/^#+ /gm);
    const chinese = path.replace('docs/', 'docs/zh-CN/');
    expect(headings(chinese)).toEqual(headings(path));
    expect(prose(readProjectFile(chinese)).match(/\p{Script=Han}/gu)?.length).toBeGreaterThan(100);
  });
});
