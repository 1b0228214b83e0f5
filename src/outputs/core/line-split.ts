/** What a database did not take of a request, for good. */
export interface RefusedLines {
  readonly count: number;
  /** Its answer to the first of them, and that line. */
  readonly detail: string;
}

/** Requests for one batch at most, and while nothing of it is taken. Beyond it, what is refused is lost as it stands. */
const MAX_REQUESTS = 512;
const MAX_VAIN_REQUESTS = 64;
/** Of a line that was refused, so much is shown. */
const SHOWN = 120;

/**
 * Finds the lines that a database refuses, so that only they are lost:
 *
 *     all ──refused──▶ those that the answer names │ the others    where it names some, but not all
 *                      first half │ second half                    else
 *
 * and so on with each part that is refused, down to one line. A part that is sent again is the same points of the same
 * times, so a database that took some of a refused request holds nothing twice.
 */
export class LineSplit {
  /** What is still to be sent; the last one goes next. */
  readonly #parts: Array<readonly string[]>;
  #requests = 0;
  #taken = 0;
  #refused: RefusedLines | undefined;

  constructor(lines: readonly string[]) {
    this.#parts = [lines];
  }

  /** What to send next; undefined where all is done. */
  get next(): readonly string[] | undefined {
    return this.#parts.at(-1);
  }

  /** Lines that were taken so far. */
  get takenCount(): number {
    return this.#taken;
  }

  /** What was refused so far. */
  get refused(): RefusedLines | undefined {
    return this.#refused;
  }

  /** The database took what was to be sent. */
  taken(): void {
    this.#requests += 1;
    this.#taken += this.#parts.pop()?.length ?? 0;
  }

  /** It refused it for good, with this answer; `detail` is the answer for people. */
  refuse(answer: string, detail: string): void {
    this.#requests += 1;
    const part = this.#parts.pop() ?? [];
    const isVain = this.#taken === 0 && this.#requests >= MAX_VAIN_REQUESTS;
    const [first = ''] = part;
    if (part.length > 1 && this.#requests < MAX_REQUESTS && !isVain) {
      const [now, later] = partsOf(part, answer);
      this.#parts.push(later, now);
      return;
    }
    const count = (this.#refused?.count ?? 0) + part.length;
    const text = `${detail}; line: ${first.slice(0, SHOWN)}`;
    this.#refused = { count, detail: this.#refused?.detail ?? text };
  }
}

function partsOf(lines: readonly string[], answer: string): readonly [readonly string[], readonly string[]] {
  const named = new Set(namedLines(lines, answer));
  const bad = lines.filter((line) => named.has(line));
  if (bad.length > 0 && bad.length < lines.length) return [lines.filter((line) => !named.has(line)), bad];
  const half = lines.length >> 1;
  return [lines.slice(0, half), lines.slice(half)];
}

/** InfluxDB quotes lines that it cannot parse, and names the measurement of a conflict; others give the number of the line. */
function namedLines(lines: readonly string[], answer: string): readonly string[] {
  const quoted = [...answer.matchAll(/unable to parse '([^\n]*?)': /g)].map(([, line = '']) => line);
  if (quoted.length > 0) return quoted;
  const [, measurement] = /on measurement \\?"([^"\\]+)\\?"/.exec(answer) ?? [];
  if (measurement !== undefined) {
    const start = `${measurement.replace(/[,\s]/g, '\\$&')},`;
    return lines.filter((line) => line.startsWith(start));
  }
  const [, number] = /"line":\s*(\d{1,9})\b/.exec(answer) ?? [];
  const line = lines[Number(number) - 1];
  return line === undefined ? [] : [line];
}
