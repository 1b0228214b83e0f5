import { checkNesting } from './check-nesting.ts';
import { isKeyed } from './keyed.ts';
import type { Problem } from './problem.ts';
import { Report } from './report.ts';
import { readYaml, type YamlOptions } from './yaml-source.ts';

/** The largest file that is read, in bytes, or in characters of its text. */
export const LARGEST_CONFIG = 10 * 1024 * 1024;

/** A file that cannot be looked at at all, or its keys; those are absent where it has none, which is reported then. */
export type ReadDocument =
  | { readonly problem: Problem }
  | { readonly report: Report; readonly root: Readonly<Record<string, unknown>> | undefined };

/** Reads the text of a YAML file as far as its keys. `begin` says how such a file begins. */
export function readDocument(text: string, file: string, begin: string, options?: YamlOptions): ReadDocument {
  if (text.length > LARGEST_CONFIG) return unusable(file, 1, 1, 'The file is larger than 10 MB.');
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const tooDeep = checkNesting(plain);
  if (tooDeep !== undefined) {
    const before = plain.slice(0, tooDeep).split('\n');
    return unusable(file, before.length, (before.at(-1)?.length ?? 0) + 1, 'The file is nested too deeply.');
  }
  const source = readYaml(plain, options);
  const report = new Report(source, file);
  for (const finding of source.findings) report.syntax(finding);
  return { report, root: rootOf(source.value, report, begin) };
}

/** The keys of the document; those with nothing behind them count as absent, as when all their entries are comments. */
function rootOf(
  value: unknown,
  report: Report,
  begin: string,
): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined) return undefined;
  if (isKeyed(value)) return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null));
  report.add({
    code: value === null ? 'config_missing_key' : 'config_bad_type',
    path: [],
    message: value === null ? 'The file is empty.' : 'The file holds no keys.',
    mend: begin,
  });
  return undefined;
}

function unusable(
  file: string,
  line: number,
  column: number,
  message: string,
): { readonly problem: Problem } {
  const mend = 'Check that this is the right file.';
  return {
    problem: { severity: 'error', code: 'config_too_large', file, line, column, path: '', message, mend },
  };
}
