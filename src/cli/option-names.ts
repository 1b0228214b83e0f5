import type { Argv } from 'yargs';
import type { AnyCommand } from './command.ts';

/** An option of a command. */
export interface OptionName {
  readonly name: string;
  readonly describe: string;
}

interface Described {
  readonly describe?: string;
  readonly hidden?: boolean;
}

/** The options of a command, in the order in which it declares them, without the parser. */
export function optionNames(command: AnyCommand): readonly OptionName[] {
  const found: OptionName[] = [];
  const note = (name: string, { describe = '', hidden }: Described): void => {
    if (hidden !== true) found.push({ name, describe });
  };
  const recorder: object = new Proxy(
    {},
    {
      get: (_, method) => (name: unknown, described: unknown) => {
        if (method === 'option' && typeof name === 'string') note(name, (described ?? {}) as Described);
        return recorder;
      },
    },
  );
  // A command does nothing to a parser but to call its methods one after the other.
  command.options(recorder as Argv);
  return found;
}
