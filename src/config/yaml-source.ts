import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { maskSecrets } from './mask-secrets.ts';
import type { Finding, Path } from './problem.ts';

/** A place in the text, both counted from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Something that YAML itself does not allow, at an offset. */
export interface SyntaxFinding extends Omit<Finding, 'path'> {
  readonly offset: number;
  /** The innermost list entry or key that holds it, as far as it is known. */
  readonly path: Path;
}

/** A text in which an alias, a value or a key can be found again by its path. */
export interface YamlSource {
  /** The document as plain data; undefined where its syntax is broken. */
  readonly value: unknown;
  readonly findings: readonly SyntaxFinding[];
  placeAt(offset: number): Place;
  /** Where the value at the path stands; where it is missing, its nearest parent that exists. */
  placeOf(path: Path, atKey?: boolean): Place;
  /** The value at the path as it is written, shortened; undefined where it is missing or not a plain value. */
  seenAt(path: Path): string | undefined;
}

/** No configuration is nested so deeply; a parser that follows hostile nesting would exhaust the stack. */
const DEEPEST = 200;
/** Aliases may multiply a document at most so often. */
const MAX_ALIASES = 100;
const LONGEST_SEEN = 60;

export interface YamlOptions {
  /** Keys may be whole numbers, as those of enums are; paths and data have them as decimal text. */
  readonly numericKeys?: boolean;
}

/** Reads YAML 1.2 and keeps where everything stands; the text must have passed `checkNesting`. */
export function readYaml(text: string, { numericKeys = false }: YamlOptions = {}): YamlSource {
  const lines = new LineCounter();
  // Keys are compared below: the parser's own check compares each with each.
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const findings: SyntaxFinding[] = document.errors.map(({ code, message, pos }) => ({
    ...explainSyntax(code, message),
    offset: pos[0],
    path: [],
  }));
  for (const { message, pos } of document.warnings) {
    findings.push({
      code: 'config_syntax',
      message: `${message.replace(/\.$/, '')}.`,
      fix: 'Remove the tag: plain values are enough here.',
      offset: pos[0],
      path: [],
    });
  }
  if (document.contents !== null) collectKeyFindings(document.contents, [], findings, numericKeys);

  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const offsetOf = (path: Path, atKey: boolean) => find(document, path, atKey).node?.range?.[0] ?? 0;
  let value: unknown;
  try {
    // What is broken cannot be followed into data without guessing.
    if (!findings.some((finding) => finding.code === 'config_syntax'))
      value = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // The only ways to fail are an alias without an anchor and aliases that multiply beyond the limit.
    if (!(error instanceof ReferenceError)) throw error;
    const multiplied = error.message.startsWith('Excessive');
    findings.push({
      code: 'config_syntax',
      message: multiplied ? 'Aliases multiply this document beyond all bounds.' : `${error.message}.`,
      fix: multiplied
        ? 'Write the values out, or put what is common under `defaults:`.'
        : 'Define the anchor (&name) before it is used (*name), or quote a text that begins with *.',
      offset:
        firstAlias(document.contents, (alias) => multiplied || alias.resolve(document) === undefined)
          ?.range?.[0] ?? 0,
      path: [],
    });
  }
  if (holdsItself(value)) {
    value = undefined;
    findings.push({
      code: 'config_syntax',
      message: 'An alias stands within what it stands for, without end.',
      fix: 'Write the values out, or move the alias out of its anchor.',
      offset: firstAlias(document.contents)?.range?.[0] ?? 0,
      path: [],
    });
  }
  return {
    value,
    findings,
    placeAt,
    placeOf: (path, atKey = false) => placeAt(offsetOf(path, atKey)),
    seenAt(path) {
      const { node, whole } = find(document, path, false);
      if (!whole || !isScalar(node) || !node.range) return undefined;
      // Before it is cut: the end of a password may be what is cut off.
      const seen = maskSecrets(text.slice(node.range[0], node.range[1]).replace(/\s+/g, ' '));
      return seen.length > LONGEST_SEEN ? `${seen.slice(0, LONGEST_SEEN)}...` : seen;
    },
  };
}

/** Whether something is a part of itself, as an alias within its own anchor makes it. */
function holdsItself(root: unknown): boolean {
  const open = new Set<object>();
  const done = new Set<object>();
  const visit = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null || done.has(value)) return false;
    if (open.has(value)) return true;
    open.add(value);
    const found = Object.values(value).some(visit);
    open.delete(value);
    done.add(value);
    return found;
  };
  return visit(root);
}

function explainSyntax(code: string, message: string): Pick<Finding, 'code' | 'message' | 'fix'> {
  switch (code) {
    case 'TAB_AS_INDENT':
      return {
        code: 'config_syntax',
        message: 'A tab stands in the indentation, which YAML does not allow.',
        fix: 'Indent with spaces.',
      };
    case 'MULTIPLE_DOCS':
      return {
        code: 'config_syntax',
        message: 'A second document begins here.',
        fix: 'Remove the line `---`, or keep the second document in a file of its own.',
      };
    default:
      return {
        code: 'config_syntax',
        message: `This is no YAML: ${message.replace(/\.$/, '')}.`,
        fix: 'Check brackets, quotes, colons and the indentation of this line and the one above.',
      };
  }
}

function collectKeyFindings(
  node: unknown,
  path: Path,
  findings: SyntaxFinding[],
  numericKeys: boolean,
): void {
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      collectKeyFindings(item, [...path, index], findings, numericKeys);
    }
    return;
  }
  if (!isMap(node)) return;
  const seen = new Set<string>();
  for (const { key, value } of node.items) {
    const offset = offsetOfNode(key) ?? node.range?.[0] ?? 0;
    const word = wordOf(key, numericKeys);
    if (word === undefined) {
      findings.push({
        code: 'config_syntax',
        message: 'A key must be a word.',
        fix: 'Quote it if it is meant as one.',
        offset,
        path,
      });
      continue;
    }
    const here = [...path, word];
    if (seen.has(word)) {
      findings.push({
        code: 'config_duplicate_key',
        message: `The key "${word}" is given twice.`,
        fix: 'Remove one of the two.',
        offset,
        atKey: true,
        path: here,
      });
    }
    seen.add(word);
    collectKeyFindings(value, here, findings, numericKeys);
  }
}

function wordOf(key: unknown, numericKeys: boolean): string | undefined {
  if (!isScalar(key)) return undefined;
  if (typeof key.value === 'string') return key.value;
  return numericKeys && typeof key.value === 'number' ? String(key.value) : undefined;
}

function offsetOfNode(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}

/** The first alias of which something is true. */
function firstAlias(node: unknown, is: (alias: Alias) => boolean = () => true): Node | undefined {
  if (isAlias(node)) return is(node) ? node : undefined;
  if (isSeq(node)) return firstOf(node.items, is);
  if (isMap(node))
    return firstOf(
      node.items.map((pair) => pair.value),
      is,
    );
  return undefined;
}

function firstOf(nodes: readonly unknown[], is: (alias: Alias) => boolean): Node | undefined {
  for (const node of nodes) {
    const found = firstAlias(node, is);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The node at the path; `whole` is false where it stops at a parent. */
function find(document: Document, path: Path, atKey: boolean): { node: Node | null; whole: boolean } {
  let node = follow(document, document.contents);
  for (const [depth, part] of path.entries()) {
    const last = depth === path.length - 1;
    let next: unknown;
    if (isSeq(node) && typeof part === 'number') next = node.items[part];
    else if (isMap(node)) {
      const pair = pairsOf(node).get(String(part));
      if (pair !== undefined && isScalar(pair.key) && (pair.value === null || (last && atKey))) {
        return { node: pair.key, whole: false };
      }
      next = pair?.value;
    }
    const found = follow(document, next);
    if (found === null) return { node, whole: false };
    node = found;
  }
  return { node, whole: true };
}

const pairsByMap = new WeakMap<YAMLMap, ReadonlyMap<unknown, Pair>>();

/** The pairs of a map by key, kept, because every problem is looked up; the later of two equal keys is the one that counts. */
function pairsOf(map: YAMLMap): ReadonlyMap<unknown, Pair> {
  const known = pairsByMap.get(map);
  if (known !== undefined) return known;
  const pairs = new Map(
    map.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : pair.key, pair]),
  );
  pairsByMap.set(map, pairs);
  return pairs;
}

function follow(document: Document, node: unknown): Node | null {
  if (isAlias(node)) return node.resolve(document) ?? node;
  return isScalar(node) || isMap(node) || isSeq(node) ? node : null;
}

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

/** Whether a value of a file is one of keys, no list and no single value. */
export function isKeyed(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
