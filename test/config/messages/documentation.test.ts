import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { runCli } from '../../cli/check-io.ts';
import { readProjectFile } from '../../support/project-files.ts';

const text = readProjectFile('docs/reference/messages.md');
const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);
/** Lines that begin with `$ heartwire`, and what stands below them. */
const runs = [...text.matchAll(/^\$ heartwire (.*)\n((?:(?!\$ |```).*\n)*)/gm)].map(
  ([, line = '', out = '']) => ({ line, out }),
);

/** In the words of `check`. */
const WITHOUT_ID = /: warning: .* cannot be told apart by their length, only by who sent them\./;

describe('docs/reference/messages.md', () => {
  test.each(examples.map((yaml, index) => [index + 1, yaml] as const))(
    'example %i passes the check',
    (_, yaml) => {
      const whole = /^messages:/m.test(yaml)
        ? yaml
        : `messages:\n  - name: m\n    id: 1\n    fields:\n${yaml.replace(/^/gm, '      ')}`;
      const problems = loadMessages(whole, 'example').problems.map(formatProblem);
      // The one warning that is announced, of replies to requests without an id, such as `*IDN?` of SCPI.
      const announced = /\w\?"/.test(yaml) ? problems.filter((each) => WITHOUT_ID.test(each)) : [];
      expect(problems.filter((each) => !announced.includes(each))).toEqual([]);
    },
  );
});

describe('what it shows of the command line', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-messages-'));
    await writeFile(join(folder, 'messages.yaml'), examples[0] ?? '');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('is something', () => {
    expect(examples.length).toBeGreaterThan(5);
    expect(runs.length).toBeGreaterThan(3);
  });

  test.each(runs)('$line', async ({ line, out }) => {
    const result = await runCli(line.split(' '), folder);
    expect(result).toEqual({ code: 0, out, err: '' });
  });
});
