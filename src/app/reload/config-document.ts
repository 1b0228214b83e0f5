import type { ConfigDiff } from '../../config/diff-config.ts';
import { formatProblem } from '../../config/problem.ts';
import type { JsonObject } from '../../contract/publisher.ts';
import { addressLabel } from '../../links/transports.ts';
import type { ConfigOutcome } from './config-applier.ts';

/** Names shown of each kind; more of them are counted, not listed. */
const SHOWN = 100;

/** What `bridge/status` says of the configuration: what runs, and what the last reload did. */
export function configDocument(
  file: string,
  { diff, generation, kept, problems }: ConfigOutcome,
  loadedAt: number,
  rejectedAt: number | undefined,
): JsonObject {
  return {
    file,
    generation,
    loaded_at: loadedAt,
    ...(rejectedAt === undefined ? {} : { rejected_at: rejectedAt }),
    applied: appliedDocument(diff),
    kept: kept.slice(0, SHOWN),
    problem_count: problems.length,
    problems: problems.slice(0, SHOWN).map(formatProblem),
  };
}

function appliedDocument(diff: ConfigDiff | undefined): JsonObject {
  const { added = [], changed = [], removed = [] } = diff?.devices ?? {};
  const listeners = diff?.listeners;
  const lists = {
    added: added.map(({ id }) => id),
    changed: changed.map(({ to }) => to.id),
    removed: removed.map(({ id }) => id),
  };
  const omitted = Object.values(lists).reduce((sum, { length }) => sum + Math.max(0, length - SHOWN), 0);
  return {
    added: lists.added.slice(0, SHOWN),
    changed: lists.changed.slice(0, SHOWN),
    removed: lists.removed.slice(0, SHOWN),
    ...(omitted === 0 ? {} : { omitted }),
    listeners: {
      added: (listeners?.added ?? []).slice(0, SHOWN).map(({ link }) => addressLabel(link)),
      changed: (listeners?.changed ?? []).slice(0, SHOWN).map(({ to }) => addressLabel(to.link)),
      removed: (listeners?.removed ?? []).slice(0, SHOWN).map(({ link }) => addressLabel(link)),
    },
    settings: [...(diff?.settings ?? [])],
    needs_restart: [...(diff?.needsRestart ?? [])],
  };
}
