import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runCli } from './check-io.ts';

describe('heartwire completion', () => {
  it.each([
    ['bash', '/usr/bin/bash', 'complete -o default -F _heartwire heartwire'],
    ['zsh', '/bin/zsh', 'compdef _heartwire heartwire'],
    ['fish', '/usr/bin/fish', 'complete -c heartwire'],
  ])('prints the script of %s, by name and by SHELL', async (shell, path, line) => {
    const byName = await runCli(['completion', shell], '/');
    expect(byName).toMatchObject({ code: 0, err: '', out: expect.stringContaining(line) });
    expect(await runCli(['completion'], '/', { SHELL: path })).toEqual(byName);
  });

  it('names no other program, and every command with its options', async () => {
    const { out } = await runCli(['completion', 'bash'], '/');
    expect(out).not.toMatch(/yargs|stackoverflow/);
    expect(out).toMatch(/ {6}tail\) words="--json --merged .*--help" ;;/);
  });

  it('takes no other shell', async () => {
    const { code, err } = await runCli(['completion', 'tcsh'], '/');
    expect([code, err]).toEqual([2, expect.stringContaining('bash')]);
  });

  it.runIf(process.platform !== 'win32')(
    'completes commands, options, and leaves files to the shell',
    async () => {
      const { out } = await runCli(['completion', 'bash'], '/');
      const completed = (...words: string[]): readonly string[] => {
        const typed = words.map((word) => `'${word}'`).join(' ');
        const script = `${out}\nCOMP_WORDS=(heartwire ${typed})\nCOMP_CWORD=${words.length}\n_heartwire\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
        return spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
          .stdout.split('\n')
          .filter(Boolean);
      };
      expect(completed('ta')).toEqual(['tail']);
      expect(completed('tail', '--mer')).toEqual(['--merged']);
      expect(completed('run', '')).toEqual([]);
      expect(completed('')).toContain('--version');
    },
  );
});
