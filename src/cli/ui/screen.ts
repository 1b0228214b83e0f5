import type { CliIo, Terminal } from '../command.ts';
import { paint } from './styled-text.ts';
import type { Line } from './table.ts';

/** Control sequences that every terminal of today knows; those that do not know `2026` pass over it. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';

/** The alternate screen of a terminal: what stood there before comes back when it is closed, whatever happens. */
export class Screen implements Disposable {
  readonly #io: CliIo;
  readonly #terminal: Terminal;
  readonly #colours: boolean;
  readonly #stop: ReadonlyArray<() => void>;
  #drawn: readonly string[] = [];
  #open = false;
  #unlisten: (() => void) | undefined;
  readonly #keys: (text: string) => void;

  constructor(io: CliIo, terminal: Terminal, on: { keys(text: string): void; resize(): void }) {
    this.#io = io;
    this.#terminal = terminal;
    // https://no-color.org: whatever it is set to, as long as it is.
    this.#colours = (io.env.NO_COLOR ?? '') === '';
    this.#keys = (text) => on.keys(text);
    this.#stop = [
      terminal.onResize(() => {
        this.#drawn = [];
        on.resize();
      }),
    ];
    this.#enter();
  }

  size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#terminal.size();
    return { columns: Math.max(columns, 1), rows: Math.max(rows, 1) };
  }

  /** Writes the lines that are other than before, all at once. */
  draw(lines: readonly Line[]): void {
    if (!this.#open) return;
    const texts = lines.map((line) => line.map((part) => paint(part, this.#colours)).join(''));
    const changed = texts.flatMap((text, index) =>
      text === this.#drawn[index] ? [] : [`\u001b[${index + 1};1H${text}`],
    );
    const fresh = this.#drawn.length === 0 ? '\u001b[2J' : '';
    this.#drawn = texts;
    if (changed.length > 0) this.#io.out(`${BEGIN}${fresh}${changed.join('')}${END}`);
  }

  /** The next `draw` writes everything. */
  forget(): void {
    this.#drawn = [];
  }

  /** Gives the terminal back, goes to sleep, and takes it again. */
  suspend(resumed: () => void): void {
    this.#leave();
    this.#terminal.suspend(() => {
      this.#enter();
      resumed();
    });
  }

  [Symbol.dispose](): void {
    this.#leave();
    for (const each of this.#stop) each();
  }

  #enter(): void {
    if (this.#open) return;
    this.#open = true;
    this.#drawn = [];
    this.#io.out(ENTER);
    this.#unlisten = this.#terminal.onKeys(this.#keys);
  }

  #leave(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#unlisten?.();
    this.#io.out(LEAVE);
  }
}
