import { type LoadableCommand, TASKS, type Task } from './command.ts';

/** Columns of the help, and of what stands in front of the descriptions. */
const WIDTH = 100;
const LEFT = 36;

/** What `heartwire --help` prints: the commands by what people want to do, with an example for each. */
export function helpText(commands: readonly LoadableCommand[]): string {
  const tasks = Object.entries(TASKS) as [Task, string][]; // the keys of an object literal are its own
  const groups = tasks.map(([task, title]) => {
    const listed = commands.filter((command) => (command.task ?? 'operate') === task);
    const example = listed.find((command) => command.example !== undefined)?.example;
    return [
      `${title}`,
      ...listed.map(({ usage, describe }) => entry(`  heartwire ${usage}`, describe)),
      ...(example === undefined ? [] : [`    for example: ${example[0]}`]),
    ].join('\n');
  });
  return [
    'heartwire <command>',
    'Bridges serial and TCP devices to the web.',
    ...groups,
    'Options\n  -h, --help     Show help; behind a command, its options with examples\n      --version  Show version number',
    'Exit codes: 0 done, 1 the work failed, 2 wrong usage or configuration.',
  ].join('\n\n');
}

/** A command and what it does: behind it, or below where it is long. */
function entry(left: string, describe: string): string {
  const lines = wrapped(describe, WIDTH - LEFT);
  const indent = ' '.repeat(LEFT);
  const [first = '', ...others] = lines;
  const head = left.length < LEFT - 1 ? [left.padEnd(LEFT) + first] : [left, indent + first];
  return [...head, ...others.map((line) => indent + line)].join('\n');
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
