import type { AnyCommand } from './command.ts';

/** The text of `commands.ts`, which `npm run generate` writes from the files in `commands/`, by their names. */
export function commandsText(commands: ReadonlyMap<string, AnyCommand>): string {
  const listed = [...commands].toSorted(([, a], [, b]) => a.place - b.place);
  return [
    '// `npm run generate` writes this file from those in `commands/`.',
    "import type { LoadableCommand } from './command.ts';",
    '',
    '/** The commands as `--help` lists them; the file of one is only loaded where it is named. */',
    'export const COMMANDS: readonly LoadableCommand[] = [',
    ...listed.flatMap(([name, { usage, describe }]) => [
      '  {',
      `    usage: ${quoted(usage)},`,
      `    describe: ${quoted(describe)},`,
      `    load: () => import('./commands/${name}.ts'),`,
      '  },',
    ]),
    '];',
    '',
  ].join('\n');
}

const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
