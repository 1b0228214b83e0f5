import { Readable, Writable } from 'node:stream';
import { HeartwireError } from '../../errors.ts';
import type { CliIo } from '../command.ts';

/** One of several answers. */
export interface Choice<T extends string> {
  readonly value: T;
  readonly label: string;
  readonly hint?: string | undefined;
}

/** Asks people; each question has an answer that stands there already. Rejects with `Cancelled` once they want no more. */
export interface Prompter {
  text(
    question: string,
    options: {
      readonly preset?: string | undefined;
      readonly hint?: string | undefined;
      readonly problem: (answer: string) => string | undefined;
    },
  ): Promise<string>;
  confirm(question: string, preset: boolean): Promise<boolean>;
  select<T extends string>(question: string, choices: readonly Choice<T>[]): Promise<T>;
  several<T extends string>(question: string, choices: readonly Choice<T>[]): Promise<readonly T[]>;
  /** Shows what is going on until the work is done; returns what came of it. */
  during<T>(what: string, work: Promise<T>, done: (result: T) => string): Promise<T>;
  note(title: string, text: string): void;
}

/** Ctrl-C or Escape at a question. */
export class Cancelled extends Error {}

/** The prompts of a terminal. The library is loaded when it is first asked. */
export async function terminalPrompter(io: CliIo): Promise<Prompter> {
  const clack = await import('@clack/prompts');
  const given = io.stdin?.();
  if (given === undefined) {
    throw new HeartwireError('bad_argument', 'There is no terminal to ask on.', {
      fix: 'Say what to write with --link, --listen, or --yes.',
    });
  }
  const streams = { input: given instanceof Readable ? given : Readable.from(given), output: screenOf(io) };
  const answered = <T>(answer: T): Exclude<T, symbol> => {
    if (clack.isCancel(answer)) throw new Cancelled('cancelled');
    // The only symbol that a prompt gives is the one above.
    return answer as Exclude<T, symbol>;
  };
  return {
    async text(question, { preset, hint, problem }) {
      const answer = await clack.text({
        ...streams,
        message: question,
        ...(preset === undefined ? {} : { defaultValue: preset, placeholder: preset }),
        ...(hint === undefined || preset !== undefined ? {} : { placeholder: hint }),
        validate: (text) => problem((text === undefined || text === '' ? preset : text) ?? ''),
      });
      return (answered(answer) ?? preset ?? '').trim();
    },
    confirm: async (question, preset) =>
      answered(await clack.confirm({ ...streams, message: question, initialValue: preset })),
    async select(question, choices) {
      const answer = await clack.select<string>({
        ...streams,
        message: question,
        options: choices.map(({ value, label, hint }) => ({
          value,
          label,
          ...(hint === undefined ? {} : { hint }),
        })),
      });
      return chosen(choices, answered(answer));
    },
    async several(question, choices) {
      const answer = await clack.multiselect<string>({
        ...streams,
        message: question,
        required: false,
        options: choices.map(({ value, label, hint }) => ({
          value,
          label,
          ...(hint === undefined ? {} : { hint }),
        })),
      });
      return answered(answer).map((each) => chosen(choices, each));
    },
    async during(what, work, done) {
      const spinner = clack.spinner({ output: streams.output });
      spinner.start(what);
      try {
        const result = await work;
        spinner.stop(done(result));
        return result;
      } catch (error) {
        spinner.stop(`${what}: it failed`);
        throw error;
      }
    },
    note: (title, text) => clack.note(text, title, { output: streams.output }),
  };
}

/** The value among the choices; the library hands on what it was given. */
function chosen<T extends string>(choices: readonly Choice<T>[], value: string): T {
  const found = choices.find((each) => each.value === value);
  if (found === undefined) throw new Cancelled('cancelled');
  return found.value;
}

/** Standard error as a stream: results of commands are never mixed with questions. */
function screenOf(io: CliIo): Writable {
  const screen = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, taken) {
      io.err(chunk.toString());
      taken();
    },
  });
  const size = io.tty?.size();
  return Object.assign(screen, { columns: size?.columns ?? 80, rows: size?.rows ?? 24, isTTY: true });
}
