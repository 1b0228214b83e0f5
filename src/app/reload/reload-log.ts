import { type ConfigDiff, formatProblem, type Problem } from '../../config/index.ts';
import { addressLabel } from '../../links/index.ts';
import type { Log } from '../../system/index.ts';
import type { ConfigOutcome } from './config-applier.ts';

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

/** Names in one line; more of them are counted. */
const NAMED = 10;

/** What a reload did, as one sentence for people. */
export function reloadText(file: string, { diff, generation, kept, problems }: ConfigOutcome): string {
  if (diff === undefined) {
    const errors = problems.filter(({ severity }) => severity === 'error').length;
    return `${file} was not reloaded (${errors} ${errors === 1 ? 'error' : 'errors'}): all goes on as it was`;
  }
  const parts = [...differences(diff), phrase(kept, 'goes on as it was', 'go on as they were')].filter(
    (part) => part !== undefined,
  );
  return `${file} was reloaded (version ${generation}): ${parts.join('; ') || 'nothing is different'}`;
}

/** The warning that changed keys need a restart; undefined where none does. */
export function restartText(file: string, { diff }: ConfigOutcome): string | undefined {
  const keys = phrase(diff?.needsRestart ?? [], 'needs', 'need');
  return keys && `${file}: ${keys} a restart to take effect`;
}

function differences({ devices, listeners, settings }: ConfigDiff): (string | undefined)[] {
  const addresses = (list: readonly { readonly link: Parameters<typeof addressLabel>[0] }[]) =>
    list.map(({ link }) => `listener ${addressLabel(link)}`);
  return [
    phrase([...devices.added.map(({ id }) => id), ...addresses(listeners.added)], 'added'),
    phrase(
      [
        ...devices.changed.map(({ to }) => to.id),
        ...addresses(listeners.changed.map(({ to }) => to)),
        ...settings,
      ],
      'changed',
    ),
    phrase([...devices.removed.map(({ id }) => id), ...addresses(listeners.removed)], 'removed'),
  ];
}

function phrase(names: readonly string[], one: string, many = one): string | undefined {
  if (names.length === 0) return undefined;
  const more = names.length - NAMED;
  const shown = names.slice(0, NAMED).join(', ');
  return `${shown}${more > 0 ? ` and ${more} more` : ''} ${names.length === 1 ? one : many}`;
}
