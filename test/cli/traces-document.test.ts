import { cpSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { replay, traceFixture, traceText } from '../../src/testing/index.ts';
import { readProjectFile } from '../support/project-files.ts';
import { runCli } from './check-io.ts';

const text = readProjectFile('docs/reference/traces.md');
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, body = '']) => body);

/** The words of a command, with its quotes; what follows # or > is left to the shell. */
function words(line: string): string[] {
  const [command = ''] = line.split(/\s+(?:#|>)/);
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(1);
}

describe('docs/reference/traces.md', () => {
  const commands = blocks('sh')
    .flatMap((block) => block.split('\n'))
    .filter((line) => line.startsWith('heartwire '));

  it('shows commands that run, in their order', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
    cpSync(fileURLToPath(new URL('../../fixtures', import.meta.url)), join(folder, 'fixtures'), {
      recursive: true,
    });
    await writeFile(join(folder, 'dump.hex'), '0000000101\n');
    await writeFile(join(folder, 'device.log'), Buffer.from([0, 0, 0, 1, 1]));
    await writeFile(join(folder, 'timed.log'), '[12:00:00.000] $GPTXT,01*5A\r\n');
    // These need a running bridge, a capture, or an end from outside; other tests run them.
    const elsewhere = /^heartwire (?:run|note)|--serve|live\.pcap/;
    const ours = commands.filter((line) => !elsewhere.test(line));
    expect(ours.length).toBeGreaterThan(8);
    for (const line of ours) {
      const outcome = await runCli(words(line), folder);
      expect(outcome, line).toMatchObject({ code: 0 });
    }
    expect(await readFile(join(folder, 'golden.jsonl'), 'utf8')).toContain('"sent"');
  });

  it('shows options that there are', async () => {
    for (const line of commands) {
      const [name = '', ...rest] = words(line);
      const { out } = await runCli([name, '--help'], '.');
      for (const option of rest.filter((word) => /^-/.test(word))) expect(out, line).toContain(option);
    }
  });

  it('shows a format that is one', () => {
    const [, format = ''] = /^```\n(#heartwire-trace 1\n[\s\S]*?)```$/m.exec(text) ?? [];
    expect(replay(traceText(format)).finish()).toEqual([]);
  });

  it('shows tests that pass', () => {
    const code = blocks('ts').join('\n');
    const bodies = [...code.matchAll(/^it\('[^']*', \(\) => \{\n([\s\S]*?)^\}\);/gm)].map(
      ([, body = '']) => body,
    );
    expect(bodies).toHaveLength(4);
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const fixture = (path: string) => traceFixture(join(root, path));
    const readFileSync = (path: string) => readProjectFile(path);
    // The page is ours, and what it shows is to be run as it stands.
    for (const body of bodies)
      new Function('replay', 'traceFixture', 'traceText', 'expect', 'readFileSync', body)(
        replay,
        fixture,
        traceText,
        expect,
        readFileSync,
      );
    expect.assertions(bodies.length + 2);
  });
});
