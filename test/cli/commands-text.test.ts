import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AnyCommand } from '../../src/cli/command.ts';
import { commandsText } from '../../src/cli/commands-text.ts';
import { PROJECT_ROOT, readProjectFile } from '../support/project-files.ts';

const names = readdirSync(join(PROJECT_ROOT, 'src/cli/commands')).map((file) => file.replace(/\.ts$/, ''));

it('the list of commands is as their files say (else run `npm run generate`)', async () => {
  const commands = new Map<string, AnyCommand>();
  for (const name of names) {
    const { command }: { command: AnyCommand } = await import(`../../src/cli/commands/${name}.ts`);
    commands.set(name, command);
  }
  expect(readProjectFile('src/cli/commands.ts')).toBe(commandsText(commands));
  expect(new Set([...commands.values()].map(({ place }) => place)).size).toBe(names.length);
});
