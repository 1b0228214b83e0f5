import { formatProblem, type Problem } from '../config/problem.ts';
import type { Log } from '../system/log.ts';

/** Problems written to the log at once; more of them are counted. */
const MOST = 50;

/** Writes what is wrong with a configuration to the log, a line for each problem. */
export function logProblems(log: Log, problems: readonly Problem[], file: string): void {
  for (const problem of problems.slice(0, MOST)) {
    const { severity, code, line, column } = problem;
    const level = severity === 'error' ? 'error' : 'warn';
    log[level]({ code, file: problem.file, line, column }, formatProblem(problem));
  }
  if (problems.length <= MOST) return;
  log.warn(
    { code: 'config_invalid', file },
    `${problems.length - MOST} more problems; heartwire check lists them all`,
  );
}
