import type { EnumDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import { parseWhole } from './number-type.ts';

export type Enums = Readonly<Record<string, EnumDeclaration>>;

/** Checks the names of a field whose raw values are within bounds. */
export function lintEnumUse(
  names: string | EnumDeclaration,
  enums: Enums,
  [least, greatest]: readonly [bigint, bigint],
  path: Path,
  findings: Findings,
): void {
  if (typeof names === 'string' && !Object.hasOwn(enums, names)) {
    const known = Object.keys(enums);
    findings.add(
      'config_bad_value',
      path,
      `There is no enum \`${names}\`.`,
      known.length === 0 ? 'Declare it below `enums:`.' : `There are ${known.join(', ')}.`,
    );
    return;
  }
  const values = typeof names === 'string' ? (enums[names] ?? {}) : names;
  if (typeof names !== 'string' && !lintEnum(values, path, findings)) return;
  for (const key of Object.keys(values)) {
    const raw = parseWhole(key);
    if (raw === undefined || (raw >= least && raw <= greatest)) continue;
    const message = `The field can never be ${key}.`;
    const fix = `Its raw values are ${least} to ${greatest}.`;
    findings.add('config_bad_value', typeof names === 'string' ? path : [...path, key], message, fix);
  }
}

/** Checks an enum by itself; false where it cannot be used. */
export function lintEnum(values: EnumDeclaration, path: Path, findings: Findings): boolean {
  const before = findings.errors;
  const seen = new Map<string, string>();
  const raws = new Map<bigint, string>();
  if (Object.keys(values).length === 0) {
    findings.add(
      'config_bad_value',
      path,
      'The enum is empty.',
      'Write for example { 0: idle, 1: running }.',
    );
  }
  for (const [key, name] of Object.entries(values)) {
    const raw = parseWhole(key);
    const same = raw === undefined ? undefined : raws.get(raw);
    if (raw === undefined) {
      findings.add(
        'config_bad_value',
        [...path, key],
        `${JSON.stringify(key)} is no whole number.`,
        'Write the raw value in front of the colon, the name behind it.',
      );
    } else if (same !== undefined) {
      findings.add(
        'config_conflict',
        [...path, key],
        `${same} is the same number.`,
        'Remove one of the two.',
      );
    } else raws.set(raw, key);
    if (typeof name !== 'string' || name === '' || name.length > 64) {
      findings.add(
        'config_bad_type',
        [...path, key],
        'A name of 1 to 64 characters is expected here.',
        'Write a word; quote it if YAML takes it for a number, or for true or false.',
      );
      continue;
    }
    const other = seen.get(name);
    if (other !== undefined) {
      findings.add(
        'config_conflict',
        [...path, key],
        `${other} has the same name.`,
        'Give each value a name of its own.',
      );
    }
    seen.set(name, key);
  }
  return findings.errors === before;
}
