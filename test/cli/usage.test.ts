import { describe, expect, it } from 'vitest';
import { TASKS } from '../../src/cli/command.ts';
import { runCli } from './check-io.ts';

describe('heartwire by itself', () => {
  it('names the command that there is not, and the one that may be meant', async () => {
    const { code, err } = await runCli(['moniter'], '/');
    expect(code).toBe(2);
    expect(err).toContain('There is no command "moniter". Did you mean monitor?');
  });

  it.each([
    [['zzz'], 'There is no command "zzz".'],
    [['tial'], 'There is no command "tial". Did you mean tail?'],
    [['tail', '--jsn'], 'There is no option --jsn. Did you mean --json?'],
    [['tail', '--token-fiel=x'], 'There is no option --token-fiel. Did you mean --token-file?'],
    [['tail', '--quite-another'], 'There is no option --quite-another.'],
  ])('of %j says "%s"', async (argv, said) => {
    const { code, err } = await runCli(argv, '/');
    expect(code).toBe(2);
    expect(err.split('\n')[0]).toBe(`heartwire: ${said}`);
  });

  it('lists what runs the bridge first, and what completes commands last', async () => {
    const { out } = await runCli(['--help'], '/');
    const names = [...out.matchAll(/^ {2}heartwire (\w+)/gm)].map(([, name]) => name);
    expect(names.at(0)).toBe('run');
    expect(names.at(-1)).toBe('completion');
    for (const heading of Object.values(TASKS)) expect(out).toContain(`\n${heading}\n`);
    expect(out.match(/for example: heartwire /g)).toHaveLength(Object.keys(TASKS).length);
    expect(out.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });

  it('says what writes a configuration where there is none', async () => {
    const { code, err } = await runCli(['check', 'nowhere.yaml'], '/');
    expect(code).toBe(2);
    expect(err).toContain(
      'There is no such file: nowhere.yaml. Name another one, or let `heartwire init` write it;',
    );
  });
});
