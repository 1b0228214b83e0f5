/** No configuration is nested so deeply; a parser that follows hostile nesting would exhaust the stack. */
const DEEPEST = 200;

/**
 * The offset at which a text is nested too deeply to be read, or undefined. Brackets inside quotes and comments are
 * counted too: so many unclosed ones do not occur in earnest.
 */
export function checkNesting(text: string): number | undefined {
  let depth = 0;
  let indentation = 0;
  let atStart = true;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '\n') {
      atStart = true;
      indentation = 0;
      continue;
    }
    if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth = Math.max(0, depth - 1);
    // `- - - x` nests three lists in one line; `? ` begins a complex key.
    if (atStart && (char === '-' || char === '?' || char === ' ' || char === '\t')) indentation++;
    else atStart = false;
    if (depth > DEEPEST || indentation > 2 * DEEPEST) return i;
  }
  return undefined;
}
