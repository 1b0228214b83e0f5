import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { runCli } from '../cli/check-io.ts';
import { needs } from '../support/needs.ts';
import { PROJECT_ROOT, readProjectFile } from '../support/project-files.ts';

const page = readProjectFile('docs/reference/deploy.md');
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, text = '']) => text);

describe('docs/reference/deploy.md', () => {
  it('shows configurations without a problem', () => {
    expect(blocks('yaml').length).toBeGreaterThan(1);
    for (const text of blocks('yaml')) {
      expect(loadConfig(text, 'devices.yaml').problems.map(formatProblem)).toEqual([]);
    }
  });

  it('copies files that are there', () => {
    const copied = [...page.matchAll(/heartwire\/(docs\/deploy\/[\w.@-]+)/g)].map(([, path = '']) => path);
    expect(copied.length).toBeGreaterThan(2);
    expect(copied.filter((path) => !existsSync(join(PROJECT_ROOT, path)))).toEqual([]);
  });

  it('types commands that exist', async () => {
    const { out } = await runCli(['--help'], PROJECT_ROOT);
    const known = [...out.matchAll(/heartwire ([a-z]+)\b/g)].map(([, name = '']) => name);
    const typed = [...page.matchAll(/\bheartwire ([a-z]+)\b/g)].map(([, name = '']) => name);
    expect([...new Set(typed)].filter((name) => !known.includes(name))).toEqual([]);
  });
});

const systemd = needs('systemd-analyze');

describe.runIf(systemd.run).each([
  ['heartwire.service', 'heartwire.service'],
  ['heartwire@.service', 'heartwire@north.service'],
])('the unit %s', (shipped, name) => {
  /** Where it is to run, `heartwire` is on the path. */
  const text = readProjectFile(`docs/deploy/${shipped}`).replace(
    /^ExecStart=heartwire /m,
    `ExecStart=${process.execPath} `,
  );
  const analyze = (...args: readonly string[]) => {
    const folder = mkdtempSync(join(tmpdir(), 'heartwire-unit-'));
    const file = join(folder, name);
    writeFileSync(file, text);
    const { status, stdout, stderr } = spawnSync(systemd.path, [...args, file], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    return { status, said: `${stdout}${stderr}` };
  };

  it('is understood by systemd, every line of it', () => {
    expect(analyze('verify', '--man=no')).toEqual({ status: 0, said: '' });
  });

  it('leaves little open', () => {
    const { status, said } = analyze('security', '--offline=true', '--no-pager', '--threshold=20');
    expect([status, said.split('\n').at(-2)]).toEqual([0, expect.stringContaining('OK')]);
  });
});

describe('the unit of one of several instances', () => {
  const settings = (file: string) =>
    readProjectFile(`docs/deploy/${file}`)
      .split('\n')
      .filter((line) => /^[A-Z]\w+=/.test(line));

  it('is that of a single one but for its name, its password and its order', () => {
    const [one, several] = [settings('heartwire.service'), settings('heartwire@.service')];
    const more = several.filter((line) => !one.includes(line));
    expect(more).toEqual([
      expect.stringMatching(/^Description=.*%i/),
      expect.stringMatching(/^After=.*redis-server\.service/),
      'ExecStart=heartwire run /etc/heartwire/%i.yaml',
      'LoadCredential=redis-password:/etc/heartwire/redis-password',
      'StateDirectory=heartwire/%i',
      'WorkingDirectory=%S/heartwire/%i',
    ]);
    expect(several.length).toBe(one.length + 1);
  });
});

describe('the rules for serial ports', () => {
  it('are rules', () => {
    const lines = readProjectFile('docs/deploy/99-heartwire.rules').split('\n');
    const rules = lines.filter((line) => line !== '' && !line.startsWith('#'));
    const part = '[A-Z]+(?:\\{\\w+\\})?(?:==|!=|\\+=|:=|=)"[^"]*"';
    expect(rules.length).toBeGreaterThan(2);
    expect(rules.filter((rule) => !new RegExp(`^${part}(?:, ${part})*$`).test(rule))).toEqual([]);
  });
});

describe('the image', () => {
  const lines = readProjectFile('docs/deploy/Dockerfile')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));

  it('is built from bases with a version, in instructions that exist', () => {
    for (const line of lines) {
      expect(line).toMatch(/^(?:FROM|WORKDIR|COPY|RUN|USER|VOLUME|EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD) \S/);
    }
    const bases = lines.filter((line) => line.startsWith('FROM '));
    expect(bases.filter((line) => !/^FROM node:2[0-9]-slim(?: AS build)?$/.test(line))).toEqual([]);
  });

  it('runs without rights, and takes nothing along but the package', () => {
    const user = last.find((line) => line.startsWith('USER '));
    expect(user).toBe('USER node');
    const after = last.slice(last.indexOf(String(user)));
    expect(after.filter((line) => /^(?:RUN|COPY)/.test(line))).toEqual([]);
    expect(last.filter((line) => line.startsWith('COPY'))).toEqual([]);
  });

  it('says by itself whether it is well, in a line that runs', () => {
    const check = /^HEALTHCHECK .* CMD (\[.*\])$/.exec(
      last.find((line) => line.startsWith('HEALTHCHECK ')) ?? '',
    );
    const [, , script = ''] = JSON.parse(check?.[1] ?? '[]');
    const unheard = script.replace(':8080/', ':1/');
    expect(spawnSync(process.execPath, ['-e', unheard], { encoding: 'utf8' })).toMatchObject({
      status: 1,
      stderr: '',
    });
  });
});
