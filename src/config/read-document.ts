import type { Problem } from './problem.ts';
import { Report } from './report.ts';
import { checkNesting, isKeyed, readYaml, type YamlOptions } from './yaml-source.ts';

/** The largest files that are read, in bytes, or in characters of their text: ten thousand devices, or messages, fit. */
export const LARGEST_CONFIG = 4 * 1024 * 1024;
export const LARGEST_MESSAGES = 1024 * 1024;

/** What is said of a larger one. */
export function largerThan(size: number, largest: number): string {
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  return `The file has ${mib(size)} MiB, and at most ${mib(largest)} MiB are read`;
}

/** A file that cannot be looked at at all, or its keys; those are absent where it has none, which is reported then. */
export type ReadDocument =
  | { readonly problem: Problem }
  | { readonly report: Report; readonly root: Readonly<Record<string, unknown>> | undefined };

/** What kind of file it is. */
export interface DocumentKind {
  /** How such a file begins, for one that is empty. */
  readonly begin: string;
  /** The keys that it may have. */
  readonly keys: readonly string[];
  readonly largest: number;
  readonly yaml?: YamlOptions;
}

/** Reads the text of a YAML file as far as its keys. */
export function readDocument(text: string, file: string, kind: DocumentKind): ReadDocument {
  if (text.length > kind.largest) {
    return unusable(file, 1, 1, `${largerThan(text.length, kind.largest)}.`);
  }
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const tooDeep = checkNesting(plain);
  if (tooDeep !== undefined) {
    const before = plain.slice(0, tooDeep).split('\n');
    return unusable(file, before.length, (before.at(-1)?.length ?? 0) + 1, 'The file is nested too deeply.');
  }
  const source = readYaml(plain, kind.yaml);
  const report = new Report(source, file);
  for (const finding of source.findings) report.syntax(finding);
  return { report, root: rootOf(source.value, report, kind) };
}

/** The keys of the document; those with nothing behind them count as absent, as when all their entries are comments. */
function rootOf(
  value: unknown,
  report: Report,
  { begin, keys }: DocumentKind,
): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined) return undefined;
  if (isKeyed(value)) {
    return Object.fromEntries(
      Object.entries(value).filter(([key, each]) => each !== null || !keys.includes(key)),
    );
  }
  report.add({
    code: value === null ? 'config_missing_key' : 'config_bad_type',
    path: [],
    message: value === null ? 'The file is empty.' : 'The file holds no keys.',
    fix: begin,
  });
  return undefined;
}

function unusable(
  file: string,
  line: number,
  column: number,
  message: string,
): { readonly problem: Problem } {
  const fix = 'Check that this is the right file.';
  return {
    problem: { severity: 'error', code: 'config_too_large', file, line, column, path: '', message, fix },
  };
}
