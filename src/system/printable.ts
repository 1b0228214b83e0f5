/** Control characters of both sets, and what turns the direction of text: devices choose these strings, not we. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** One line of text that no terminal takes for an order; what stands within a JSON string means the same as before. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** The same for whole lines: their ends, and tabs, stay what they are. */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE, (each) => (each === '\n' || each === '\t' ? each : escaped(each)));
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
