import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT_ROOT, readProjectFile } from './support/project-files.ts';

const page = readProjectFile('docs/background/scale.md');
const script = readProjectFile('scripts/scale.mjs');

describe('docs/background/scale.md', () => {
  it('has the tables that the model prints', () => {
    const printed = execFileSync(process.execPath, [join(PROJECT_ROOT, 'scripts/scale.mjs')], {
      encoding: 'utf8',
    });
    const shown = [...page.matchAll(/<!-- model: scripts\/scale\.mjs -->\n([\s\S]*?)\n<!-- end -->/g)];
    expect(shown.map(([, table]) => table)).toEqual(printed.trim().split('\n\n'));
  });

  it('has the figures from which the model computes', () => {
    const measured = [...script.matchAll(/^ {2}\w+(?:Us|Bytes)Per\w+: ([\d.]+),$/gm)].map(
      ([, value]) => value,
    );
    expect(measured.length).toBe(7);
    const [, stated = ''] = /## What is measured([\s\S]*?)\nNode 20/.exec(page) ?? [];
    for (const value of measured) expect(stated).toMatch(new RegExp(`\\b${value} (us|bytes)`));
  });
});
