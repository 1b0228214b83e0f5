import type { CliIo } from '../command.ts';

/** Asks on a terminal, line by line; where no answer comes any more, what stands in brackets counts. */
export class Questions implements AsyncDisposable {
  readonly #io: CliIo;
  readonly #input: AsyncIterator<Uint8Array> | undefined;
  readonly #decoder = new TextDecoder();
  #held = '';
  #ended = false;

  constructor(io: CliIo) {
    this.#io = io;
    this.#input = io.stdin?.()[Symbol.asyncIterator]();
  }

  /** The answer, checked: `problem` says what is wrong with it, and it is asked again. */
  async ask(
    question: string,
    fallback: string,
    problem: (answer: string) => string | undefined,
  ): Promise<string> {
    for (;;) {
      this.#io.err(`${question}${fallback === '' ? '' : ` [${fallback}]`}: `);
      const line = (await this.#line())?.trim();
      if (line === undefined) this.#io.err('\n');
      const answer = line === undefined || line === '' ? fallback : line;
      const wrong = answer === fallback ? undefined : problem(answer);
      if (wrong === undefined) return answer;
      this.#io.err(`  ${wrong}\n`);
    }
  }

  /** Says something between two questions. */
  say(text: string): void {
    this.#io.err(`  ${text}\n`);
  }

  async yes(question: string, fallback: boolean): Promise<boolean> {
    const answer = await this.ask(question, fallback ? 'Y/n' : 'y/N', (text) =>
      /^(y|yes|n|no)$/i.test(text) ? undefined : 'Answer y or n.',
    );
    return answer.includes('/') ? fallback : /^y/i.test(answer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input?.return?.();
  }

  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf('\n');
      if (end >= 0) {
        const line = this.#held.slice(0, end);
        this.#held = this.#held.slice(end + 1);
        return line;
      }
      if (this.#ended || this.#input === undefined) return undefined;
      const next = await this.#input.next();
      if (next.done === true) this.#ended = true;
      else this.#held += this.#decoder.decode(next.value, { stream: true });
    }
  }
}
