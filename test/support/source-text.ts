/** Program text with its comments blanked and its strings set aside, line breaks kept. */
export interface ScannedSource {
  /** The code; every string literal stands as `"§n"`, its index in `strings`. */
  readonly code: string;
  readonly strings: readonly string[];
}

/** A `/` after one of these begins a regular expression; after anything else it divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|case|typeof|void|in|of|yield|await))\s*$/;

/** Separates code from comments, strings and regular expressions, as far as questions about imports and names need it. */
export function scanSource(text: string): ScannedSource {
  const strings: string[] = [];
  let code = '';
  let at = 0;
  /** Depths of braces at which a `${` of a template ends. */
  const templates: number[] = [];
  let depth = 0;

  const skipTo = (end: number) => {
    code += text.slice(at, end).replace(/[^\n]/g, ' ');
    at = end;
  };
  const endOf = (start: number, stop: string): number => {
    let end = start;
    while (end < text.length && text[end] !== stop) end += text[end] === '\\' ? 2 : 1;
    return end + 1;
  };
  /** From behind a backtick or a `}`: to the next `${` or the closing backtick. */
  const template = () => {
    let end = at;
    while (end < text.length && text[end] !== '`' && !text.startsWith('${', end)) {
      end += text[end] === '\\' ? 2 : 1;
    }
    const substitution = text[end] === '$';
    skipTo(end);
    code += substitution ? '${' : '`';
    at = end + (substitution ? 2 : 1);
    if (substitution) templates.push(depth);
  };

  while (at < text.length) {
    const char = text[at] ?? '';
    if (text.startsWith('//', at)) {
      const end = text.indexOf('\n', at);
      skipTo(end < 0 ? text.length : end);
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      skipTo(end < 0 ? text.length : end + 2);
    } else if (char === "'" || char === '"') {
      const end = endOf(at + 1, char);
      code += `"§${strings.length}"`;
      strings.push(text.slice(at + 1, end - 1));
      at = end;
    } else if (char === '`') {
      code += '`';
      at += 1;
      template();
    } else if (char === '}' && templates.at(-1) === depth) {
      templates.pop();
      code += '}';
      at += 1;
      template();
    } else if (char === '/' && BEFORE_REGEX.test(code.slice(-80))) {
      skipTo(regexEnd(text, at));
    } else {
      if (char === '{') depth += 1;
      if (char === '}') depth -= 1;
      code += char;
      at += 1;
    }
  }
  return { code, strings };
}

function regexEnd(text: string, start: number): number {
  let inClass = false;
  let end = start + 1;
  while (end < text.length && text[end] !== '\n' && (inClass || text[end] !== '/')) {
    if (text[end] === '[') inClass = true;
    if (text[end] === ']') inClass = false;
    end += text[end] === '\\' ? 2 : 1;
  }
  return end + 1;
}

/** Line number of an offset, from 1. */
export function lineOf(code: string, offset: number): number {
  return code.slice(0, offset).split('\n').length;
}
