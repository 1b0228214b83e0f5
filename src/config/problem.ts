import type { ErrorCode, HeartwireError } from '../errors.ts';

/** One thing that is wrong, or looks wrong, in a configuration file. */
export interface Problem {
  /** A warning keeps nothing from running. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Both count from 1; 1:1 where the file as a whole is concerned. */
  readonly line: number;
  readonly column: number;
  /** Where in the document: `devices[0].baud`; empty for the file as a whole. */
  readonly path: string;
  readonly code: ErrorCode;
  /** What is wrong: one sentence. */
  readonly message: string;
  /** The offending text as it stands in the file, shortened. */
  readonly seen?: string;
  /** What to write instead: one sentence. */
  readonly fix: string;
  /** The device that is concerned and none besides it: its id, or `devices[2]` where it has none. */
  readonly device?: string;
}

/** One line for a terminal or an editor: `file:line:column: severity: path: message fix`. */
export function formatProblem(problem: Problem): string {
  const { file, line, column, severity, path, message, seen, fix } = problem;
  const what =
    seen === undefined || message.includes(seen) ? message : `${message.replace(/\.$/, '')} (seen: ${seen}).`;
  return visible(`${file}:${line}:${column}: ${severity}: ${path === '' ? '' : `${path}: `}${what} ${fix}`);
}

/** A file may quote what a terminal would obey; here it is shown instead. */
function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** An error that concerns a file as a whole, or a key of it that no line is known of. */
export function asProblem({ code, message, fix }: HeartwireError, file: string, path = ''): Problem {
  return {
    severity: 'error',
    file,
    line: 1,
    column: 1,
    path,
    code,
    message,
    fix: fix ?? 'Check the file.',
  };
}

/** Keys and indices from the root of the document. */
export type Path = readonly (string | number)[];

/** `devices[0].heartbeat.interval`; keys that are no plain words are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

/** What is wrong at a path, before it is known where in the file that is. */
export interface Finding {
  readonly severity?: 'warning';
  readonly code: ErrorCode;
  readonly path: Path;
  readonly message: string;
  readonly fix: string;
  /** Point at the key, not at the value behind it. */
  readonly atKey?: boolean;
  /** The key that was meant by an unknown one. */
  readonly meant?: string;
  /** Not worth saying where one of these has an error already. */
  readonly unless?: readonly Path[];
}
