import { describe, expect, it } from 'vitest';
import { runCli } from './check-io.ts';

describe('heartwire by itself', () => {
  it('names the command that there is not, and the one that may be meant', async () => {
    const { code, err } = await runCli(['moniter'], '/');
    expect(code).toBe(2);
    expect(err).toContain('There is no command "moniter". Did you mean monitor?');
  });

  it('says that completion takes nothing', async () => {
    const { code, err } = await runCli(['completion', 'bash'], '/');
    expect(code).toBe(2);
    expect(err).toContain('completion takes nothing');
  });

  it('lists what runs the bridge first, and what completes commands last', async () => {
    const { out } = await runCli(['--help'], '/');
    const names = [...out.matchAll(/^ {2}heartwire (\w+)/gm)].map(([, name]) => name);
    expect(names.at(0)).toBe('run');
    expect(names.at(-1)).toBe('completion');
  });

  it('says what writes a configuration where there is none', async () => {
    const { code, err } = await runCli(['check', 'nowhere.yaml'], '/');
    expect(code).toBe(2);
    expect(err).toContain(
      'There is no such file: nowhere.yaml. Name another one, or let `heartwire init` write it;',
    );
  });
});
