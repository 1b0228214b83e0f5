import { isDeepStrictEqual } from 'node:util';
import { Document, isAlias, isCollection, isMap, isScalar, isSeq, parseDocument, type YAMLSeq } from 'yaml';
import { HeartwireError } from '../errors.ts';
import type { Problem } from './problem.ts';
import { checkNesting, isKeyed, readYaml } from './yaml-source.ts';

/** One entry that is to stand in a list of `devices.yaml`. */
export interface EntryAddition {
  readonly section: 'devices' | 'listeners';
  /** The YAML of the entry, as `- id: psu-1` and the lines below it, or without the dash. */
  readonly lines: string;
}

/** The text with the entry in it, or what is wrong with the lines; then their places count within the lines. */
export type AddedEntry = { readonly text: string } | { readonly problems: readonly Problem[] };

/** Marks of documents, and characters that end a line for some readers or are no text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const NOT_OF_AN_ENTRY = /^(?:---|\.\.\.|%)|[\u0000-\u001f\u007f\u0085\u2028\u2029]/;

/** How problems name the lines of a request. */
const LINES = 'lines';

/**
 * Puts an entry behind the last one of its list. Every other character of the text stays where it was, but for the
 * brackets of a list that is written in them. The text must be YAML that can be read.
 *
 * @throws HeartwireError `config_not_editable` where the list stands in the text in a way that cannot be extended
 */
export function addEntry(text: string, { section, lines }: EntryAddition): AddedEntry {
  const entry = readEntry(lines);
  if ('problems' in entry) return entry;
  const mark = text.startsWith('\uFEFF') ? '\uFEFF' : '';
  const body = text.slice(mark.length);
  const added = insert(body, section, entry.lines, entry.value);
  // Whatever the text looks like: the result means what it meant before, and the entry, and nothing else.
  if (added === undefined || !isDeepStrictEqual(readYaml(added).value, wanted(body, section, entry.value)))
    throw new HeartwireError(
      'config_not_editable',
      `The list \`${section}\` is written in a way to which no entry can be added by itself.`,
      { seen: section, fix: 'Add the lines to the file with an editor.' },
    );
  return { text: mark + added };
}

function wanted(text: string, section: string, entry: unknown): unknown {
  const { value } = readYaml(text);
  const root = isKeyed(value) ? value : {};
  const list: unknown = root[section];
  return { ...root, [section]: [...(Array.isArray(list) ? list : []), entry] };
}

interface ReadEntry {
  /** Without a common indentation; the first key stands behind `- `. */
  readonly lines: readonly string[];
  readonly value: Record<string, unknown>;
}

function readEntry(given: string): ReadEntry | { readonly problems: readonly Problem[] } {
  const all = given.replace(/\r\n?/g, '\n').trimEnd().split('\n');
  const plain = all.filter((line) => line.trim() !== '');
  const common = Math.min(...plain.map((line) => line.search(/[^ ]/)));
  const lines = all.map((line) => (line.trim() === '' ? '' : line.slice(common)));
  const text = lines.join('\n');
  const problem = (line: number, column: number, message: string, fix: string): Problem => {
    return { severity: 'error', file: LINES, line, column, path: '', code: 'config_syntax', message, fix };
  };
  const odd = lines.findIndex((line) => NOT_OF_AN_ENTRY.test(line));
  if (odd >= 0)
    return {
      problems: [
        problem(odd + 1, 1, 'This line does not belong into an entry.', 'Write keys and values only.'),
      ],
    };
  if (checkNesting(text) !== undefined)
    return { problems: [problem(1, 1, 'The lines are nested too deeply.', 'Check the brackets.')] };
  const { value, findings, placeAt } = readYaml(text);
  const wrong = findings.map(({ code, message, fix, offset }): Problem => {
    const { line, column } = placeAt(offset);
    return { ...problem(line, column + Math.max(common, 0), message, fix), code };
  });
  if (wrong.length > 0) return { problems: wrong };
  const dashed = Array.isArray(value) && lines.some((line) => line.startsWith('-'));
  const [only, ...more] = dashed ? value : [value];
  if (!isKeyed(only) || more.length > 0)
    return { problems: [problem(1, 1, 'These lines are not one entry.', 'Begin with `- id: NAME`, once.')] };
  if (dashed) return { lines, value: only };
  return { lines: lines.map((line, at) => (at === 0 ? `- ${line}` : line && `  ${line}`)), value: only };
}

/** The text with the lines in their place; undefined where there is none. */
function insert(
  text: string,
  section: string,
  lines: readonly string[],
  value: Record<string, unknown>,
): string | undefined {
  const { contents } = parseDocument(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
  if (contents === null || (isScalar(contents) && contents.value === null))
    return insertLines(text, text.length, [`${section}:`, ...indented(lines, 2)]);
  if (!isMap(contents) || contents.flow === true) return undefined;
  const margin = columnOf(text, contents.range?.[0] ?? 0);
  const pair = contents.items.find(({ key }) => isScalar(key) && key.value === section);
  if (pair === undefined)
    return insertLines(text, text.length, indented([`${section}:`, ...indented(lines, 2)], margin));
  const { key, value: list } = pair;
  const keyEnd = isScalar(key) ? key.range?.[1] : undefined;
  if (keyEnd === undefined) return undefined;
  const below = indented(lines, margin + 2);
  if (list === null || (isScalar(list) && list.value === null && list.source === ''))
    return insertLines(text, lineEnd(text, keyEnd), below);
  if (!isSeq(list) || !list.range) return undefined;
  if (list.flow !== true) return insertBehind(text, list, lines);
  const [start, end] = list.range;
  const last = list.items.at(-1);
  if (last !== undefined) {
    const at = endOf(last);
    return at === undefined ? undefined : `${text.slice(0, at)}, ${inBrackets(value)}${text.slice(at)}`;
  }
  if (text.slice(start + 1, end - 1).trim() !== '') return undefined;
  const without = text.slice(0, start).trimEnd() + text.slice(end);
  return insertLines(without, lineEnd(without, keyEnd), below);
}

/** Behind the last entry of a list with dashes, and the comments that are indented as its keys are. */
function insertBehind(text: string, list: YAMLSeq, lines: readonly string[]): string | undefined {
  const dash = columnOf(text, list.range?.[0] ?? 0);
  const [before, last] = list.items.slice(-2).map(endOf);
  const end = last ?? before;
  if (end === undefined) return undefined;
  let at = text[end - 1] === '\n' ? end : lineEnd(text, end);
  for (;;) {
    const next = lineEnd(text, at);
    const comment = /^( *)#/.exec(text.slice(at, next));
    if (comment === null || (comment[1]?.length ?? 0) <= dash) break;
    at = next;
  }
  const parted = last !== undefined && /\n[ \t]*\r?\n[ \t]*(?:#|-)/.test(text.slice(before, last));
  return insertLines(text, at, [...(parted ? [''] : []), ...indented(lines, dash)]);
}

/** Where the last plain value of a node ends; undefined where the node does not say it. */
function endOf(node: unknown): number | undefined {
  if (isScalar(node) || isAlias(node)) return node.range?.[1];
  if (!isCollection(node)) return undefined;
  if (node.flow === true || node.items.length === 0) return node.range?.[1];
  if (isSeq(node)) return endOf(node.items.at(-1));
  if (!isMap(node)) return undefined;
  const pair = node.items.at(-1);
  const empty = pair?.value === null || (isScalar(pair?.value) && pair.value.source === '');
  return endOf(empty ? pair?.key : pair?.value);
}

/** Whole lines before the character at `at`, with the line ends of the text. */
function insertLines(text: string, at: number, lines: readonly string[]): string {
  const eol = /\r?\n/.exec(text)?.[0] ?? '\n';
  const before = text.slice(0, at);
  const open = before !== '' && !before.endsWith('\n') ? eol : '';
  return `${before}${open}${lines.map((line) => line + eol).join('')}${text.slice(at)}`;
}

const indented = (lines: readonly string[], by: number): readonly string[] =>
  lines.map((line) => (line === '' ? '' : ' '.repeat(by) + line));

/** Where the line behind this one begins. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end + 1;
}

const columnOf = (text: string, at: number): number => at - (text.lastIndexOf('\n', at - 1) + 1);

/** The entry on one line. */
const inBrackets = (value: Record<string, unknown>): string =>
  new Document(value).toString({ collectionStyle: 'flow', lineWidth: 0 }).trim().replace(/\n\s*/g, ' ');
