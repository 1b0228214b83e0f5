import { HeartwireError } from '../errors.ts';
import { type BytesProblem, parseBytes } from './bytes-text.ts';
import { LIFE_WORDS, type LifeWord, type TraceFact, type TraceHead } from './event.ts';
import { TRACE_MAGIC } from './format-trace.ts';

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

/** What is wrong with a line of the head. */
export interface HeadProblem {
  readonly column: number;
  readonly problem: string;
  readonly fix: string;
}

const WORD = /[ \t]+([a-z][a-z0-9_]*)=("(?:[^"\\]|\\.)*"|[^\s"=]+)(?=[ \t]|$)/y;
const START = /^#start (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)$/;

/** Collects the lines before the first event. */
export class HeadReader {
  readonly #file: string;
  #magic = false;
  #startMs: number | undefined;
  readonly #meta = new Map<string, string>();
  /** `#sum` lines confirm what stands before them. */
  sums = false;

  constructor(file: string) {
    this.#file = file;
  }

  take(line: string, number: number): HeadProblem | undefined {
    if (!this.#magic) {
      this.sums = line === `${TRACE_MAGIC} sums`;
      this.#magic = this.sums || line === TRACE_MAGIC;
      if (this.#magic && number === 1) return undefined;
      return notTrace;
    }
    if (line.startsWith('#start')) return this.#start(line);
    if (/^#meta(?:\s|$)/.test(line)) return this.#takeMeta(line);
    return {
      column: 1,
      problem: 'This means nothing.',
      fix: 'Write #start, #meta, #end, or a comment with a space behind its #.',
    };
  }

  /** @throws HeartwireError `trace_invalid` where something is missing. */
  finish(line: number): TraceHead {
    if (!this.#magic)
      throw traceError({ file: this.#file, line: 1, column: 1 }, notTrace.problem, notTrace.fix);
    if (this.#startMs === undefined) {
      throw traceError(
        { file: this.#file, line, column: 1 },
        'Before the first event stands when it was.',
        'Write for example #start 2026-01-01T00:00:00.000Z.',
      );
    }
    return { startMs: this.#startMs, meta: Object.fromEntries(this.#meta) };
  }

  #start(line: string): HeadProblem | undefined {
    const text = START.exec(line)?.[1];
    const ms = text === undefined ? Number.NaN : Date.parse(text);
    if (text === undefined || Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(text.slice(0, 19))) {
      return {
        column: 8,
        problem: 'This is no time in UTC.',
        fix: 'Write for example #start 2026-01-01T00:00:00.000Z.',
      };
    }
    if (this.#startMs !== undefined)
      return { column: 1, problem: 'A trace starts once.', fix: 'Remove one of the #start lines.' };
    this.#startMs = ms;
    return undefined;
  }

  #takeMeta(line: string): HeadProblem | undefined {
    WORD.lastIndex = 5;
    while (line.slice(WORD.lastIndex).trim() !== '') {
      const at = WORD.lastIndex;
      const [, key = '', text = ''] = WORD.exec(line) ?? [];
      if (key === '')
        return {
          column: at + 2,
          problem: 'This is no key=value.',
          fix: 'Write for example device=psu-1; quote values with spaces.',
        };
      if (this.#meta.has(key))
        return { column: at + 2, problem: `"${key}" is given twice.`, fix: 'Remove one of the two.' };
      const value = text.startsWith('"') ? unquoted(text) : text;
      if (value === undefined)
        return {
          column: at + 3 + key.length,
          problem: 'The quoted text is no JSON string.',
          fix: 'Write \\" for a quote and \\\\ for a backslash.',
        };
      this.#meta.set(key, value);
    }
    return undefined;
  }
}

const notTrace: HeadProblem = {
  column: 1,
  problem: 'This is no trace: its first line is not #heartwire-trace 1.',
  fix: 'Check the file; `heartwire import` reads captures and hex dumps.',
};

function unquoted(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    // No JSON: the caller says so, with its place.
    return undefined;
  }
}

/** A place in a trace; lines and columns count from 1. */
export interface TracePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What is wrong in a trace, and where. */
export function traceError(place: TracePlace, problem: string, fix: string, seen?: string): HeartwireError {
  const { file, line, column } = place;
  return new HeartwireError('trace_invalid', `${file}:${line}:${column}: ${problem}`, {
    fix,
    ...(seen === undefined ? {} : { seen: seen.slice(0, 80) }),
  });
}
