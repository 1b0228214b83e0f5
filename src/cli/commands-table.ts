import { table } from '../contract/feed/index.ts';
import type { LoadableCommand } from './command.ts';

/** The table of docs/reference/command-line.md: every command with what it does. */
export const commandsTable = (commands: readonly Pick<LoadableCommand, 'usage' | 'describe'>[]): string =>
  table(
    ['command', 'does'],
    commands.map(({ usage, describe }) => [`\`heartwire ${usage}\``, describe.replaceAll('|', '\\|')]),
  );
