import { posix } from 'node:path';
import { lineOf, scanSource } from './source-text.ts';

/** A room of the house: a folder or a file, its floor, and what else binds it. */
export interface Room {
  /** Path from the root of the project, without a slash at the end. */
  readonly path: string;
  /** It imports from rooms with a lower number, and from itself. */
  readonly floor: number;
  /** No package, no `node:*`, no clock, time zone, random source or `Buffer`. */
  readonly pure?: true;
  /** The only other rooms that it may import from, whatever their floor. */
  readonly only?: readonly string[];
  /** The one place that may use `process`: arguments, environment, streams, signals, exit. */
  readonly process?: true;
}

/** A file of the project: its path from the root, with forward slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const SPECIFIER = /\b(?:from|import)\s*(?:\(\s*)?"§(\d+)"/g;
const UNREADABLE_IMPORT = /\bimport\s*\(\s*(?!"§\d+"\s*[,)])/g;
/** Not meant: what never changes while the program runs, and `nextTick`, which only orders work. */
const PROCESS = /(?<![.\w$#])process(?=\s*(?:[.[?;,)]|$))(?!\.(?:nextTick|platform|arch|pid|versions)\b)/gm;
const IMPURE: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?!\s*\())|(?<!new\s+)(?<![.\w$])Date\s*\(/g,
    'reads a clock',
  ],
  [/(?<![.\w$#])performance\s*\./g, 'reads a clock'],
  [
    /(?<![.\w$#])(?:setTimeout|setInterval|setImmediate|queueMicrotask|process\.nextTick)\s*\(/g,
    'sets a timer',
  ],
  [/\bMath\s*\.\s*random\b|(?<![.\w$#])crypto\s*\./g, 'draws random numbers'],
  [
    /(?<![.\w$#])Intl\s*\.|\.\s*(?:toLocale\w*String|getTimezoneOffset)\b/g,
    'asks for a time zone or a locale',
  ],
  [/\.\s*get(?:Hours|Minutes|Seconds|Date|Day|Month|FullYear)\s*\(/g, 'asks for the local time'],
  [/(?<![.\w$#])Buffer\b(?!\s*:)/g, 'uses Buffer'],
  [/(?<![.\w$#])process\.(?:platform|arch|pid|versions)\b/g, 'asks about the machine'],
  [/(?<![.\w$#])(?:fetch|require)\s*\(|(?<![.\w$#])(?:globalThis|console)\s*[.[]/g, 'reaches outside'],
];

/** The innermost room that a path lies in. */
export function roomOf(rooms: readonly Room[], path: string): Room | undefined {
  return rooms
    .filter((room) => path === room.path || path.startsWith(`${room.path}/`))
    .reduce<Room | undefined>(
      (inner, room) => (room.path.length > (inner?.path.length ?? -1) ? room : inner),
      undefined,
    );
}

/** Every breach of the law in one file, as `path:line: what is wrong`. */
export function breaches(rooms: readonly Room[], file: SourceFile): readonly string[] {
  const room = roomOf(rooms, file.path);
  if (room === undefined) return [`${file.path}: belongs to no room`];
  const { code, strings } = scanSource(file.text);
  const found: Array<readonly [offset: number, what: string]> = [];
  for (const match of code.matchAll(SPECIFIER)) {
    const what = importBreach(rooms, room, file.path, strings[Number(match[1])] ?? '');
    if (what !== undefined) found.push([match.index, what]);
  }
  for (const { index } of code.matchAll(UNREADABLE_IMPORT)) {
    found.push([index, 'imports something that is not written out']);
  }
  if (!room.process) {
    for (const { index } of code.matchAll(PROCESS)) found.push([index, 'uses process']);
  }
  for (const [pattern, what] of room.pure ? IMPURE : []) {
    for (const { index } of code.matchAll(pattern)) found.push([index, `is pure, but ${what}`]);
  }
  return found
    .sort(([a], [b]) => a - b)
    .map(([offset, what]) => `${file.path}:${lineOf(code, offset)}: ${what}`);
}

function importBreach(
  rooms: readonly Room[],
  room: Room,
  from: string,
  specifier: string,
): string | undefined {
  if (!specifier.startsWith('.')) {
    if (room.pure) return `is pure, but imports ${specifier}`;
    return /^(?:node:)?process$/.test(specifier) && !room.process ? 'uses process' : undefined;
  }
  const target = posix.join(posix.dirname(from), specifier);
  const other = roomOf(rooms, target);
  if (other === undefined) return `imports ${target}, which belongs to no room`;
  if (other === room) return undefined;
  if (room.only !== undefined) {
    return room.only.includes(other.path)
      ? undefined
      : `imports ${target}, but ${room.path} may import only ${room.only.join(', ')}`;
  }
  // A room inside this one stands on its floor and may serve it.
  if (other.path.startsWith(`${room.path}/`) || other.floor < room.floor) return undefined;
  return `imports ${target} of floor ${other.floor}, but ${room.path} stands on floor ${room.floor}`;
}

/** What is wrong with a file's name or size. */
export function shapeBreaches({ path, text }: SourceFile, longest: number): readonly string[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const found: string[] = [];
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*$/.test(posix.basename(path)))
    found.push(`${path}: is not kebab-case`);
  if (lines > longest) found.push(`${path}: has ${lines} lines, more than ${longest}`);
  return found;
}
