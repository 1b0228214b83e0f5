import { basename } from 'node:path';
import type { AnyCommand, Command } from '../command.ts';
import { optionNames } from '../option-names.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

interface CompletionArgs {
  readonly shell: Shell | undefined;
}

/** A command as a shell completes it. */
interface Completed {
  readonly name: string;
  readonly describe: string;
  readonly options: ReturnType<typeof optionNames>;
}

/** Prints a script that completes commands, options and files. */
export const command: Command<CompletionArgs> = {
  usage: 'completion [shell]',
  describe: 'Print a script that completes commands, options and files in bash, zsh or fish',
  place: 990,
  task: 'operate',
  raw: true,
  examples: [
    ['heartwire completion >> ~/.bashrc', 'for the shell that SHELL names'],
    ['heartwire completion fish > ~/.config/fish/completions/heartwire.fish', 'for another one'],
  ],
  options: (yargs) =>
    yargs.positional('shell', {
      choices: SHELLS,
      describe: 'The shell; by default the one that SHELL names',
    }),
  async run({ shell }, io, commands = []) {
    const own = basename(io.env.SHELL ?? '');
    const wanted = shell ?? SHELLS.find((each) => each === own) ?? 'bash';
    const completed = await Promise.all(
      commands.map(async ({ usage, describe, load }): Promise<Completed> => {
        const loaded: { readonly command: AnyCommand } = await load();
        return { name: usage.split(' ')[0] ?? usage, describe, options: optionNames(loaded.command) };
      }),
    );
    io.out(SCRIPTS[wanted](completed));
    return 0;
  },
};

/** The shell asks nothing of Heartwire while one types: all words stand in the script. */
const SCRIPTS: Readonly<Record<Shell, (commands: readonly Completed[]) => string>> = {
  bash: (commands) => `# Completes heartwire in bash.
_heartwire() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(' ')} --help --version"
  elif [ "\${current#-}" != "$current" ]; then
    case "\${COMP_WORDS[1]}" in
${commands.map(({ name, options }) => `      ${name}) words="${dashed(options).join(' ')}" ;;`).join('\n')}
    esac
  fi
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); fi
}
complete -o default -F _heartwire heartwire
`,
  zsh: (commands) => `#compdef heartwire
# Completes heartwire in zsh.
_heartwire() {
  local -a commands options
  if (( CURRENT == 2 )); then
    commands=(
${commands.map(({ name, describe }) => `      ${quoted(`${name}:${describe}`)}`).join('\n')}
    )
    _describe command commands
  elif [[ \${words[CURRENT]} == -* ]]; then
    case \${words[2]} in
${commands.map(({ name, options }) => `      ${name}) options=(${dashed(options).join(' ')}) ;;`).join('\n')}
    esac
    compadd -- $options
  else
    _files
  fi
}
compdef _heartwire heartwire
`,
  fish: (commands) =>
    [
      '# Completes heartwire in fish.',
      ...commands.flatMap(({ name, describe, options }) => [
        `complete -c heartwire -n __fish_use_subcommand -a ${name} -d ${fishQuoted(describe)}`,
        ...options.map(
          (option) =>
            `complete -c heartwire -n '__fish_seen_subcommand_from ${name}' -l ${option.name} -d ${fishQuoted(option.describe)}`,
        ),
      ]),
      '',
    ].join('\n'),
};

const dashed = (options: Completed['options']): readonly string[] => [
  ...options.map(({ name }) => `--${name}`),
  '--help',
];

/** In single quotes of a POSIX shell, which end in front of one. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const fishQuoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
