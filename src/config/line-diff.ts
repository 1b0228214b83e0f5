/** One line of a difference; its number counts in the new text, or in the old one where it is gone. */
export interface DiffLine {
  readonly sign: ' ' | '+' | '-';
  readonly line: number;
  readonly text: string;
}

/** Lines that stay the same and are shown around a difference. */
const AROUND = 3;
/** Of one line, in characters. */
const LONGEST = 500;

/** What differs between two texts that differ in one place, with the lines around it. */
export function lineDiff(before: string, after: string): readonly DiffLine[] {
  const old = linesOf(before);
  const now = linesOf(after);
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  const most = Math.min(old.length, now.length) - head;
  while (tail < most && old.at(-1 - tail) === now.at(-1 - tail)) tail++;
  const part = (sign: DiffLine['sign'], lines: readonly string[], from: number, to: number): DiffLine[] =>
    lines.slice(from, to).map((text, at) => ({ sign, line: from + at + 1, text: text.slice(0, LONGEST) }));
  const end = now.length - tail;
  return [
    ...part(' ', now, Math.max(0, head - AROUND), head),
    ...part('-', old, head, old.length - tail),
    ...part('+', now, head, end),
    ...part(' ', now, end, end + AROUND),
  ];
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/);
  // A line end at the end of the text begins no further line.
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}
