import type { CliIo } from '../command.ts';

const WIDTH = 30;
const REDRAW_MS = 100;

/** A bar that is redrawn in place on a terminal, and stays silent elsewhere. `now` in monotonic ms. */
export class ProgressBar {
  readonly #io: CliIo;
  readonly #label: string;
  readonly #startedAt: number;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(io: CliIo, label: string, now: number) {
    this.#io = io;
    this.#label = label;
    this.#startedAt = now;
  }

  show({ bytes, size }: { readonly bytes: number; readonly size: number }, now: number): void {
    if (!this.#io.terminal || (now - this.#drawnAt < REDRAW_MS && bytes < size)) return;
    this.#drawnAt = now;
    const share = size === 0 ? 1 : bytes / size;
    const full = Math.round(share * WIDTH);
    const rate = bytes / Math.max((now - this.#startedAt) / 1_000, 0.001);
    const left = bytes === 0 ? '' : `, ${Math.ceil((size - bytes) / rate)} s left`;
    const bar = `${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}`;
    this.#io.err(`\r${this.#label} [${bar}] ${Math.floor(share * 100)} % ${inWords(rate)}/s${left}\u001b[K`);
  }

  end(): void {
    if (this.#io.terminal) this.#io.err('\n');
  }
}

/** Bytes as people read them: `1.5 MB`. */
export function inWords(bytes: number): string {
  if (bytes < 1_000) return `${Math.round(bytes)} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
