import { type BytesProblem, parseBytes } from './bytes-text.ts';
import { LIFE_WORDS, type LifeWord, type TraceFact } from './event.ts';

const isLifeWord = (word: string): word is LifeWord => LIFE_WORDS.some((each) => each === word);

/** What stands behind the connection: the sign, and the rest of the line. */
export function parseFact(sign: string, rest: string): TraceFact | BytesProblem {
  switch (sign) {
    case '<':
    case '>': {
      const bytes = parseBytes(rest);
      return bytes instanceof Uint8Array ? { kind: sign === '<' ? 'in' : 'out', bytes } : bytes;
    }
    case '=': {
      const [, word = '', detail = ''] = /^(\S*)\s*(.*)$/.exec(rest) ?? [];
      if (isLifeWord(word)) return { kind: 'life', word, detail: detail.trimEnd() };
      return {
        at: 0,
        problem: `"${word}" is nothing that happens to a connection.`,
        fix: `Write ${LIFE_WORDS.join(', ')}.`,
      };
    }
    case '*':
      return { kind: 'note', text: rest };
    default:
      return parseExpectation(rest);
  }
}

function parseExpectation(rest: string): TraceFact | BytesProblem {
  const [, name = '', gap = '', more = ''] = /^([A-Za-z_][\w.-]*)?(\s*)(.*)$/.exec(rest) ?? [];
  const at = name.length + gap.length;
  if (name === '')
    return {
      at: 0,
      problem: 'This is nothing to expect.',
      fix: 'Write a message and {fields}, discarded COUNT REASON, or send BYTES.',
    };
  if (name === 'send') {
    const bytes = parseBytes(more);
    if (!(bytes instanceof Uint8Array)) return { ...bytes, at: at + bytes.at };
    return { kind: 'expect', expectation: { kind: 'send', bytes } };
  }
  if (name === 'discarded') {
    const [, count, reason = ''] = /^(\d{1,12})\s+([a-z_]+)\s*$/.exec(more) ?? [];
    if (count !== undefined)
      return { kind: 'expect', expectation: { kind: 'discarded', count: Number(count), reason } };
    return {
      at,
      problem: 'Behind discarded stand how many bytes, and why.',
      fix: 'Write for example discarded 3 no_header.',
    };
  }
  const fields = more.trim() === '' ? {} : jsonObject(more);
  if (fields === undefined)
    return {
      at,
      problem: 'Behind the message stand some of its fields.',
      fix: 'Write them as a JSON object, for example {"error":0}.',
    };
  return { kind: 'expect', expectation: { kind: 'message', message: name, fields } };
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return { ...value };
  } catch {
    // No JSON: the caller says so, with its place.
    return undefined;
  }
}
