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
  /** Packages that a pure room may import all the same. */
  readonly packages?: readonly string[];
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
    if (room.pure && !room.packages?.includes(specifier)) return `is pure, but imports ${specifier}`;
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

/** An import as it is written: the file that it leads to, what it takes, and whether it is there at run time. */
export interface Import {
  readonly target: string;
  readonly type: boolean;
  /** What is there at run time of the names taken, as their home calls them; undefined for the whole file. */
  readonly names?: readonly string[] | undefined;
}

const STATEMENT = /\b(import|export)\s+(type\s+)?(?:\*(?:\s+as\s+\w+)?|[\w\s{},*]*?)\s*from\s*"§(\d+)"/g;
const BARE = /\bimport\s*\(?\s*"§(\d+)"/g;

/** What a file imports of the project, types included. */
export function importsOf({ path, text }: SourceFile): readonly Import[] {
  const { code, strings } = scanSource(text);
  const at = (index: string | undefined): string => strings[Number(index)] ?? '';
  const found: Import[] = [];
  for (const [whole, , word, index] of code.matchAll(STATEMENT)) {
    const named = /\{([^}]*)\}/.exec(whole)?.[1]?.split(',');
    const types = named?.every((each) => /^\s*(?:type\s|$)/.test(each));
    const names = named
      ?.filter((each) => !/^\s*(?:type\s|$)/.test(each))
      .map((each) => each.trim().replace(/\s+as\s.*$/s, ''));
    found.push({ target: at(index), type: word !== undefined || types === true, names });
  }
  for (const [, index] of code.matchAll(BARE)) found.push({ target: at(index), type: false });
  return found
    .filter(({ target }) => target.startsWith('.'))
    .map(({ target, ...rest }) => ({ target: posix.join(posix.dirname(path), target), ...rest }));
}

/** The files that an import reaches at run time: through a door only those whose names it takes. */
function reached(byPath: ReadonlyMap<string, SourceFile>, { target, names }: Import): readonly string[] {
  const door = isDoor(target) ? byPath.get(target) : undefined;
  if (door === undefined || names === undefined) return [target];
  return importsOf(door)
    .filter((offer) => !offer.type && offer.names?.some((name) => names.includes(name)))
    .flatMap((offer) => reached(byPath, offer));
}

/** The door of a room, through which all others see it. */
function isDoor(path: string): boolean {
  return /^src\/.+\/index\.ts$/.test(path);
}

/** Files that import each other in a circle, types included; each circle once, as `a -> b -> a`. */
export function cycles(files: readonly SourceFile[]): readonly string[] {
  const graph = new Map(files.map((file) => [file.path, importsOf(file).map(({ target }) => target)]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) {
      found.push([...way.slice(start), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

/** Files of pure rooms that reach, at run time, a file which is not pure; as `path: reaches other`. */
export function impureReaches(rooms: readonly Room[], files: readonly SourceFile[]): readonly string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const pure = (file: SourceFile): boolean => {
    const room = roomOf(rooms, file.path);
    if (room === undefined) return false;
    const asPure: Room = { path: file.path, floor: room.floor, pure: true, packages: ['zod'] };
    return breaches([...rooms.filter(({ path }) => path !== file.path), asPure], file).every(
      (each) => !each.includes('is pure, but'),
    );
  };
  const verdicts = new Map<string, string | undefined>();
  const culprit = (path: string): string | undefined => {
    if (verdicts.has(path)) return verdicts.get(path);
    verdicts.set(path, undefined);
    const file = byPath.get(path);
    if (file === undefined) return undefined;
    const verdict = pure(file)
      ? importsOf(file)
          .filter(({ type }) => !type)
          .flatMap((each) => reached(byPath, each))
          .map(culprit)
          .find((each) => each !== undefined)
      : path;
    verdicts.set(path, verdict);
    return verdict;
  };
  return files
    .filter(({ path }) => roomOf(rooms, path)?.pure === true && !isDoor(path))
    .flatMap(({ path }) => {
      const reached = culprit(path);
      return reached === undefined ? [] : [`${path}: reaches ${reached}, which is not pure`];
    });
}

/**
 * Imports that pass a door: where a file lies in a room that does not hold the importer, its door is taken, `index.ts`.
 * Each folder of `src/` is a room, and so is a folder further down that has a door. `entries` are further doors.
 */
export function doorBreaches(files: readonly SourceFile[], entries: readonly string[]): readonly string[] {
  const inner = files.filter(({ path }) => isDoor(path)).map(({ path }) => posix.dirname(path));
  return files.flatMap((file) =>
    importsOf(file).flatMap(({ target }) => {
      const rooms = [/^src\/[^/]+(?=\/)/.exec(target)?.[0] ?? '', ...inner];
      const room = rooms
        .filter((each) => target.startsWith(`${each}/`) && !file.path.startsWith(`${each}/`))
        .reduce((inmost, each) => (each.length > inmost.length ? each : inmost), '');
      if (room === '' || target === `${room}/index.ts` || entries.includes(target)) return [];
      return [`${file.path}: imports ${target}, past the door of ${room}`];
    }),
  );
}

/** Names of a door that none of the files takes, in `src/` and `bin/`. */
export function idleOffers(files: readonly SourceFile[], entries: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  const offered: Array<readonly [door: string, name: string]> = [];
  for (const { path, text } of files) {
    const { code, strings } = scanSource(text);
    for (const [, how, list = '', index] of code.matchAll(
      /\b(import|export)\s+(?:type\s+)?\{([^}]*)\}\s*from\s*"§(\d+)"/g,
    )) {
      const target = posix.join(posix.dirname(path), strings[Number(index)] ?? '');
      for (const each of list.split(',').map((name) => name.trim().replace(/^type\s+/, ''))) {
        if (each === '') continue;
        const [name = '', as = name] = each.split(/\s+as\s+/);
        taken.add(`${target} ${name}`);
        if (how === 'export' && isDoor(path) && !entries.includes(path)) offered.push([path, as]);
      }
    }
    for (const [, list = '', index] of code.matchAll(
      /\{([\w\s,:]*)\}\s*=\s*await\s+import\s*\(\s*"§(\d+)"/g,
    )) {
      const target = posix.join(posix.dirname(path), strings[Number(index)] ?? '');
      for (const each of list.split(',')) taken.add(`${target} ${each.split(':')[0]?.trim()}`);
    }
  }
  return offered
    .filter(([door, name]) => !taken.has(`${door} ${name}`))
    .map(([door, name]) => `${door}: offers ${name}, which no other room takes`);
}

/** What is wrong with a file's name or size. */
/** One table with an entry for each error: it grows with them, and is read entry by entry. */
const TABLES: readonly string[] = ['src/error-codes.ts'];

export function shapeBreaches({ path, text }: SourceFile, longest: number): readonly string[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const found: string[] = [];
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)*$/.test(posix.basename(path)))
    found.push(`${path}: is not kebab-case`);
  if (lines > longest && !TABLES.includes(path))
    found.push(`${path}: has ${lines} lines, more than ${longest}`);
  return found;
}
