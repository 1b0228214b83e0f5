import { describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from './support/chromium.ts';
import { needs } from './support/needs.ts';
import { projectFiles, readProjectFile } from './support/project-files.ts';
import { blocksOf, fileName, Walkthrough } from './support/walkthrough.ts';

const PAGES = projectFiles(['docs/how-to', 'docs/start'], ['.md']);
/** Languages of blocks that a reader only looks at: firmware, output, settings of other programs. */
const SHOWN = new Set(['cpp', 'text', 'json', 'ini', 'nginx', 'bat']);
const FOLLOWED = new Set(['sh', 'console', 'yaml', 'html', 'js', 'jsx', 'ts', 'python', 'css', 'vue']);

describe('the pages of tasks, followed as they are written', { timeout: 480_000 }, () => {
  it.each(PAGES)('%s has only blocks that are followed or shown', (path) => {
    const languages = blocksOf(readProjectFile(path)).map(({ language }) => language);
    expect(languages.filter((each) => !SHOWN.has(each) && !FOLLOWED.has(each))).toEqual([]);
    // A fence without a language would be seen by no test.
    expect(readProjectFile(path).match(/^ *```/gm)?.length ?? 0).toBe(2 * languages.length);
  });

  const followed = PAGES.filter((path) =>
    blocksOf(readProjectFile(path)).some(({ language }) => FOLLOWED.has(language)),
  );
  it.each(['plain-page', 'react-list', 'vue-list'])('examples/%s has the files of its page', (name) => {
    const files = blocksOf(readProjectFile(`docs/how-to/${name}.md`)).filter(({ text }) => fileName(text));
    expect(files.length).toBeGreaterThan(1);
    for (const { text } of files) expect(readProjectFile(`examples/${name}/${fileName(text)}`)).toBe(text);
  });

  const hasRedis = needs('redis-server').run;
  it.each(followed.filter((path) => hasRedis || !path.includes('several')))('%s', async (path) => {
    await using walkthrough = await Walkthrough.make();
    await walkthrough.follow(path);
    expect(walkthrough.failed(), walkthrough.said).toEqual([]);
  });

  const pages = PAGES.filter((path) =>
    /<(?:http:\/\/(?:127\.0\.0\.1|localhost):5173)>/.test(readProjectFile(path)),
  );
  describe.runIf(hasChromium)('the pages that they make', () => {
    it('are these', () => {
      expect(pages).toEqual(['plain-page', 'react-list', 'vue-list'].map((name) => `docs/how-to/${name}.md`));
    });

    it.each(pages)('%s shows what is live in Chromium', async (path) => {
      await using walkthrough = await Walkthrough.make();
      await walkthrough.follow(path);
      const [, address = ''] = /<(http:\/\/\S+:5173)>/.exec(readProjectFile(path)) ?? [];
      await using browser = await launchChromium();
      const tab = await browser.newPage();
      // A page that came before the bridge was there is loaded again, as a reader does.
      const shown = async () => {
        const text = await tab.innerText('body').catch(() => '');
        if (!text.includes('This list is'))
          await tab.goto(await walkthrough.here(address)).catch(() => undefined);
        return text;
      };
      await expect
        .poll(shown, { timeout: 120_000, interval: 500 })
        .toMatch(/This list is connected[\s\S]*supply: online [\s\S]*volts/);
    });
  });
});
