import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../cli/check-io.ts';
import { readProjectFile } from '../support/project-files.ts';

/** Whole files and pieces of them, as the documents and examples show them, and the same with mistakes that people make. */
const CASES = readProjectFile('fixtures/golden/check-cases.jsonl').trim().split('\n');

describe('what check says', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'heartwire-golden-'));
    cpSync('examples', join(folder, 'examples'), { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is as before, of 300 configurations and files of messages', async () => {
    expect(CASES).toHaveLength(300);
    const golden: string[] = [];
    for (const [index, line] of CASES.entries()) {
      const name = `case-${index}.yaml`;
      writeFileSync(join(folder, name), String(JSON.parse(line)));
      const { code, out, err } = await runCli(['check', name], folder);
      golden.push(`exit ${code}`, out + err);
    }
    await expect(golden.join('\n')).toMatchFileSnapshot('../../fixtures/golden/check.txt');
  });
});
