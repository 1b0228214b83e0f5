export interface Window {
  /** The first line that is drawn, and the one behind the last. */
  readonly first: number;
  readonly end: number;
}

/** Which lines of one height are on the screen, and a few around them. */
export function windowOf(
  top: number,
  viewHeight: number,
  lineHeight: number,
  lines: number,
  around = 6,
): Window {
  const first = Math.max(0, Math.floor(-top / lineHeight) - around);
  const end = Math.min(lines, Math.ceil((viewHeight - top) / lineHeight) + around);
  return { first: Math.min(first, lines), end: Math.max(end, Math.min(first, lines)) };
}
