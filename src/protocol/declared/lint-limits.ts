import type { LimitsDeclaration, Range } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import { marginOf } from './quantity.ts';
import { FieldError } from './writing.ts';

type Bounds = readonly [number, number];

/** Checks the limits of a number that can be from `bounds[0]` to `bounds[1]`. */
export function lintLimits(
  limits: LimitsDeclaration,
  unit: string | undefined,
  bounds: Bounds,
  path: Path,
  findings: Findings,
): void {
  for (const key of ['warn', 'alarm'] as const) lintRange(limits[key], bounds, [...path, key], findings);
  lintOrder(limits, path, findings);
  const { warn, alarm, hysteresis, forMs } = limits;
  if (warn === undefined && alarm === undefined) {
    for (const [key, given] of Object.entries({ hysteresis, for: forMs })) {
      if (given === undefined) continue;
      const fix = 'Add `warn` or `alarm`, or remove it.';
      findings.add(
        'config_no_effect',
        [...path, key],
        `\`${key}\` without a limit has no effect.`,
        fix,
        'warning',
      );
    }
  }
  if (hysteresis === undefined) return;
  const here = [...path, 'hysteresis'];
  if (!lintMargin(hysteresis, unit, here, findings)) return;
  for (const range of [alarm, warn]) lintReturn(range, marginOf(hysteresis, unit), bounds, here, findings);
}

/** Checks a difference between two values; returns whether it is one. */
export function lintMargin(
  margin: number | string,
  unit: string | undefined,
  path: Path,
  findings: Findings,
): boolean {
  try {
    marginOf(margin, unit);
    return true;
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    const fix = unit === undefined ? 'Write for example 0.5.' : `Write for example 0.5, or "0.5 ${unit}".`;
    findings.add('config_bad_value', path, `This ${error.message}.`, fix);
    return false;
  }
}

/** A limit that is exceeded must be able to end: there are values that far within it. */
function lintReturn(
  range: Range | undefined,
  hysteresis: number,
  [least, greatest]: Bounds,
  path: Path,
  findings: Findings,
): void {
  if (range === undefined) return;
  const [low, high] = range;
  const goodUpTo = high ?? greatest;
  const goodFrom = low ?? least;
  for (const limit of [low, high]) {
    if (limit === null || goodFrom > goodUpTo || hysteresis <= goodUpTo - goodFrom) continue;
    findings.add(
      'config_bad_value',
      path,
      `A value that was beyond ${limit} could never be good again: none is ${hysteresis} within the limits.`,
      `Write at most ${goodUpTo - goodFrom}.`,
    );
    return;
  }
}

/** Checks two bounds against what the field can carry at all. */
export function lintRange(
  range: Range | undefined,
  [least, greatest]: readonly [number, number],
  path: Path,
  findings: Findings,
): void {
  if (range === undefined) return;
  const [low, high] = range;
  if (low !== null && high !== null && low > high) {
    findings.add(
      'config_bad_value',
      path,
      'The first number is greater than the second.',
      `Write [${high}, ${low}].`,
    );
  }
  for (const [index, bound] of range.entries()) {
    if (bound === null || (bound >= least && bound <= greatest)) continue;
    findings.add(
      'config_bad_value',
      [...path, index],
      `The field can never be ${bound}.`,
      `Its values are ${least} to ${greatest}: write a number between them, or null for no bound.`,
    );
  }
}

function lintOrder(limits: LimitsDeclaration, path: Path, findings: Findings): void {
  const [warnLow = null, warnHigh = null] = limits.warn ?? [];
  const [alarmLow = null, alarmHigh = null] = limits.alarm ?? [];
  const lowTurned = warnLow !== null && alarmLow !== null && alarmLow > warnLow;
  const highTurned = warnHigh !== null && alarmHigh !== null && alarmHigh < warnHigh;
  if (!lowTurned && !highTurned) return;
  findings.add(
    'config_unlikely',
    [...path, 'alarm'],
    'An alarm comes before the warning.',
    'Let `alarm` be wider than `warn`.',
    'warning',
  );
}
