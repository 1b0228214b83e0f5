import { describe, expect, it } from 'vitest';
import { projectFiles, readProjectFile } from './support/project-files.ts';

const PLACES = ['src', 'web', 'bin', 'docs'];
const DOCUMENTS = ['README.md', 'CONTRIBUTING.md'];

/** Words that the field does not use, each with the one to use instead. */
const WORDS: ReadonlyArray<readonly [RegExp, string]> = [
  [/\brosters?\b/gi, 'registry'],
  [/\bcohorts?\b/gi, 'subscription group'],
  [/\bdoorm[ae]n\b/gi, 'admission control'],
  [/\battendance\b/gi, 'presence'],
  [/\bdesks?\b/gi, 'authorizer, service or dispatcher'],
  [/\bwho(?:m|so)?ever\b/gi, 'the subscriber, peer, client, program or device that'],
  [/\bwhom\b/gi, 'the client, peer or program that'],
  [/\bnobody\b/gi, 'no client, peer, program or device'],
  [/\bsomebody\b/gi, 'a client, peer, program or device'],
  [/\bhears\b/gi, 'receives or gets'],
  [/\b(?:is|are|be|was|were) told (?:of|that|to)\b/gi, 'gets, or is asked to'],
  [/\beverybody\b/gi, 'every client, program or user'],
  [/\btakes itself for\b/gi, 'believes that it is'],
  [/\banew\b/gi, 'again'],
  [/\bowed\b/gi, 'pending or waiting'],
  [/\bmend(?:s|ed|ing)?\b/gi, 'fix'],
  // A line break may stand within, in a comment with its marker.
  [/\bof\s+(?:(?:\*|\/\/)\s+)?ours\b/gi, 'the name of the owner'],
];

/** The text with the parts of names as words, and without blocks of code in Markdown; lines stay where they are. */
function wordsOf(path: string, text: string): string {
  const prose = path.endsWith('.md')
    ? text.replace(/^( *)```[\s\S]*?^\1```$/gm, (block) => block.replace(/[^\n]/g, ''))
    : text;
  return prose.replace(/([a-z\d])(?=[A-Z])/g, '$1 ').replaceAll('_', ' ');
}

/** The words of a text that are not to be used, in their order, as `path:line: "word": write ...`. */
function unwanted(path: string, text: string): readonly string[] {
  const words = wordsOf(path, text);
  return WORDS.flatMap(([pattern, instead]) =>
    [...words.matchAll(pattern)].map((match) => ({ index: match.index, word: match[0], instead })),
  )
    .sort((a, b) => a.index - b.index)
    .map(({ index, word, instead }) => {
      const line = words.slice(0, index).split('\n').length;
      return `${path}:${line}: "${word.replace(/\s+/g, ' ')}": write ${instead}`;
    });
}

describe('the words of the project', () => {
  it('are those of the field, in sources and documents', () => {
    const paths = [...projectFiles(PLACES, ['']), ...DOCUMENTS];
    for (const place of PLACES) expect(paths.some((path) => path.startsWith(`${place}/`))).toBe(true);
    expect(paths.flatMap((path) => unwanted(path, readProjectFile(path)))).toEqual([]);
  });

  it('are found with their line, alone and in names', () => {
    const sample = [
      '/** Whoever comes is let in. */',
      'const accessDesk = NO_COHORT;',
      '// a port',
      '// of',
      '// ours',
    ];
    expect(unwanted('src/a.ts', sample.join('\n'))).toEqual([
      'src/a.ts:1: "Whoever": write the subscriber, peer, client, program or device that',
      'src/a.ts:2: "Desk": write authorizer, service or dispatcher',
      'src/a.ts:2: "COHORT": write subscription group',
      'src/a.ts:4: "of // ours": write the name of the owner',
    ]);
  });

  it.each([
    'roster',
    'cohort',
    'doorman',
    'attendance',
    'desk',
    'whoever',
    'whom',
    'nobody',
    'somebody',
    'hears',
    'anew',
    'owed',
    'mended',
    'of ours',
  ])('do not include "%s"', (word) => {
    expect(unwanted('docs/a.md', `First.\n\nIt is ${word}.`)).toEqual([
      expect.stringMatching(`^docs/a\\.md:3: "${word}": write `),
    ]);
  });

  it('are not judged within other words, and not in the code of a document', () => {
    expect(unwanted('src/a.ts', 'allowed, borrowed, recommended, desktop, hours')).toEqual([]);
    expect(unwanted('docs/a.md', 'First.\n```sh\nwhoami # nobody\n```\nanew\n')).toEqual([
      'docs/a.md:5: "anew": write again',
    ]);
  });
});
