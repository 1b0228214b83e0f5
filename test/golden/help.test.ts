import { describe, expect, it } from 'vitest';
import { runCli } from '../cli/check-io.ts';

describe('--help', () => {
  it('is as before, of every command', async () => {
    const { out } = await runCli(['--help'], '/');
    const names = [...out.matchAll(/^ {2}heartwire (\w+)/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(20);
    const texts = [out];
    for (const name of names) {
      texts.push((await runCli([name, '--help'], '/')).out);
    }
    await expect(texts.join('\n----\n')).toMatchFileSnapshot('../../fixtures/golden/help.txt');
  });
});
