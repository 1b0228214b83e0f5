import { table } from '../contract/feed/index.ts';
import { type AnyCommand, type LoadableCommand, TASKS } from './command.ts';

/** Commands by their names, in the order of `--help`: task by task. */
export function listed(
  commands: ReadonlyMap<string, AnyCommand>,
): ReadonlyArray<readonly [string, AnyCommand]> {
  const order = Object.keys(TASKS);
  const rank = ({ task = 'operate' }: AnyCommand): number => order.indexOf(task);
  return [...commands].toSorted(([, a], [, b]) => rank(a) - rank(b) || a.place - b.place);
}

/** The text of `commands.ts`, which `npm run generate` writes from the files in `commands/`, by their names. */
export function commandsText(commands: ReadonlyMap<string, AnyCommand>): string {
  return [
    '// `npm run generate` writes this file from those in `commands/`.',
    "import type { LoadableCommand } from './command.ts';",
    '',
    '/** The commands as `--help` lists them; the file of one is only loaded where it is named. */',
    'export const COMMANDS: readonly LoadableCommand[] = [',
    ...listed(commands).flatMap(
      ([
        name,
        {
          usage,
          describe,
          task = 'operate',
          examples: [example],
        },
      ]) => [
        '  {',
        `    usage: ${quoted(usage)},`,
        `    describe: ${quoted(describe)},`,
        `    task: ${quoted(task)},`,
        ...(example === undefined ? [] : pair('example', example)),
        `    load: () => import('./commands/${name}.ts'),`,
        '  },',
      ],
    ),
    '];',
    '',
  ].join('\n');
}

/** As Biome writes strings, and what is too long for a line. */
const quoted = (text: string): string =>
  text.includes("'") && !text.includes('"')
    ? `"${text.replace(/\\/g, '\\\\')}"`
    : `'${text.replace(/[\\']/g, '\\$&')}'`;

const LINE = 110;

function pair(key: string, texts: readonly string[]): readonly string[] {
  const line = `    ${key}: [${texts.map(quoted).join(', ')}],`;
  return line.length <= LINE
    ? [line]
    : [`    ${key}: [`, ...texts.map((text) => `      ${quoted(text)},`), '    ],'];
}

/** The table of docs/reference/command-line.md: every command with what it does. */
export const commandsTable = (commands: readonly Pick<LoadableCommand, 'usage' | 'describe'>[]): string =>
  table(
    ['command', 'does'],
    commands.map(({ usage, describe }) => [`\`heartwire ${usage}\``, describe.replaceAll('|', '\\|')]),
  );
