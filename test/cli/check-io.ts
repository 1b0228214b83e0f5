import type { CliIo } from '../../src/cli/command.ts';
import { main } from '../../src/cli/main.ts';

/** What became of one command line. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line inside this process, in a folder. */
export async function runCli(
  argv: readonly string[],
  cwd: string,
  env: CliIo['env'] = {},
  stdin?: Uint8Array,
): Promise<Outcome> {
  let out = '';
  let err = '';
  const io: CliIo = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    terminal: false,
    program: 'heartwire',
    env,
    cwd,
    onSignal: () => () => undefined,
    onUncaught: () => () => undefined,
    outClosed: new AbortController().signal,
    ...(stdin === undefined
      ? {}
      : {
          stdin: async function* () {
            yield stdin;
          },
        }),
  };
  const code = await main(argv, io);
  return { code, out, err };
}
