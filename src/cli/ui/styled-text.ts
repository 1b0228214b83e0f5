import stringWidth from 'string-width';

/** How text stands out on a terminal. */
export type Style = 'plain' | 'bold' | 'dim' | 'inverse' | 'red' | 'green' | 'yellow' | 'blue';

export interface Styled {
  readonly text: string;
  readonly style: Style;
}

/** Parameters of SGR, ECMA-48 8.3.117. */
const CODES: Readonly<Record<Style, readonly [number, number] | undefined>> = {
  plain: undefined,
  bold: [1, 22],
  dim: [2, 22],
  inverse: [7, 27],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
};

const graphemes = new Intl.Segmenter();

/** The text in just so many columns: filled with blanks, or cut with an ellipsis. Letters may be two columns wide. */
export function toWidth(text: string, columns: number): string {
  const width = stringWidth(text);
  if (width <= columns) return text + ' '.repeat(columns - width);
  let cut = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const wide = stringWidth(segment);
    if (used + wide > columns - 1) break;
    cut += segment;
    used += wide;
  }
  return columns < 1 ? '' : `${cut}…${' '.repeat(columns - 1 - used)}`;
}

/** As a terminal takes it. */
export function paint({ text, style }: Styled, colours: boolean): string {
  const code = CODES[style];
  const plain = code === undefined || (!colours && code[0] >= 30);
  return plain ? text : `\u001b[${code[0]}m${text}\u001b[${code[1]}m`;
}
