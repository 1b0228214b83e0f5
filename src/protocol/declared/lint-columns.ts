import { takesRest } from './compile-fields.ts';
import type { FieldDeclaration, SplitDeclaration } from './declaration.ts';
import type { Findings, Path } from './finding.ts';
import type { Surroundings } from './lint-references.ts';
import { isSplit } from './split.ts';
import { EXTRA } from './split-field.ts';

const COLUMN_KEYS: readonly (keyof FieldDeclaration)[] = ['prefix', 'suffix', 'quoted', 'empty', 'optional'];

/** Whether a key has a meaning because the field is part of a text. */
export const isColumnKey = (key: keyof FieldDeclaration, region: Surroundings['region']): boolean =>
  region !== undefined && (COLUMN_KEYS.includes(key) || (key === 'key' && region === 'pairs'));

/** What the fields of a text are checked against. */
export function within(form: SplitDeclaration, around: Surroundings): Surroundings {
  if (!isSplit(form)) return around;
  return {
    ...around,
    region: form.keyValue === undefined ? 'columns' : 'pairs',
    restPossible: true,
  };
}

/** Checks how a text is split. `fields` is undefined for a list, whose elements are declared by `of`. */
export function lintSplit(
  form: SplitDeclaration,
  fields: readonly FieldDeclaration[] | undefined,
  path: Path,
  findings: Findings,
  extraPossible = false,
): void {
  const { separator, keyValue, quotes, columns, extra } = form;
  if (!isSplit(form)) {
    if (extraPossible) lintExtra(form, fields ?? [], path, findings);
    for (const [key, given] of Object.entries({ quotes, columns, extra })) {
      if (given === undefined || (key === 'extra' && extraPossible)) continue;
      findings.add(
        'config_no_effect',
        [...path, key],
        `\`${key}\` has a meaning only where a text is split.`,
        'Add `separator:` or `key_value:`, or remove it.',
      );
    }
    return;
  }
  if (quotes !== undefined && quotes.length !== 1) {
    findings.add('config_bad_value', [...path, 'quotes'], 'A quote is one byte.', `Write '"'.`);
  }
  if (separator !== undefined && keyValue !== undefined && String(separator) === String(keyValue)) {
    findings.add(
      'config_conflict',
      [...path, 'key_value'],
      'The same stands between two pairs and within one.',
      'Give the two different texts.',
    );
  }
  if (quotes !== undefined && (separator?.[0] === quotes[0] || keyValue?.[0] === quotes[0])) {
    findings.add(
      'config_conflict',
      [...path, 'quotes'],
      'The quote is the separator as well.',
      'Use another one.',
    );
  }
  if (columns !== undefined && (fields ?? []).length > 0) {
    findings.add(
      'config_conflict',
      [...path, 'columns'],
      'The columns are declared by `fields` already.',
      'Remove one of the two.',
    );
  }
  if (columns !== undefined && extra !== undefined) {
    findings.add('config_no_effect', [...path, 'extra'], 'No column is one too many here.', 'Remove it.');
  }
  if (columns === undefined && fields?.length === 0) {
    findings.add(
      'config_missing_key',
      path,
      'Nothing says what the columns are.',
      'Add `fields:`, or `columns: auto`.',
    );
  }
  if (extra === 'keep' && fields?.some(({ name }) => name === EXTRA)) {
    findings.add(
      'config_conflict',
      [...path, 'extra'],
      'The value `extra` keeps what nothing is declared for, and there is a field of this name.',
      'Give the field another name.',
    );
  }
  if (keyValue !== undefined) lintKeys(fields ?? [], path, findings);
  else lintOptional(fields ?? [], path, findings);
}

/** Checks what becomes of bytes behind the fields. */
function lintExtra(
  { extra }: SplitDeclaration,
  fields: readonly FieldDeclaration[],
  path: Path,
  findings: Findings,
): void {
  if (extra === undefined || extra === 'refuse') return;
  const taken = fields.some(({ name }) => name === EXTRA);
  if (!taken && !fields.some(takesRest)) return;
  findings.add(
    taken ? 'config_conflict' : 'config_no_effect',
    [...path, 'extra'],
    taken ? 'There is a field `extra`.' : 'A field takes all that is left already.',
    taken ? 'Give the field another name.' : 'Remove it.',
  );
}

function lintKeys(fields: readonly FieldDeclaration[], path: Path, findings: Findings): void {
  const keys = new Map<string, number>();
  for (const [index, { key, name = '' }] of fields.entries()) {
    const own = key ?? name;
    const other = keys.get(own);
    keys.set(own, index);
    if (other === undefined) continue;
    findings.add(
      'config_conflict',
      [...path, 'fields', index, ...(key === undefined ? [] : ['key'])],
      `fields[${other}] has the same key.`,
      'Give each field a key of its own.',
    );
  }
}

/** Only the last columns may be missing: of others nothing says which of them it is. */
function lintOptional(fields: readonly FieldDeclaration[], path: Path, findings: Findings): void {
  const last = fields.findLastIndex(({ optional, type, separator }) => {
    return optional !== true && !(type === 'array' && separator === undefined);
  });
  for (const [index, { optional }] of fields.slice(0, Math.max(0, last)).entries()) {
    if (optional !== true) continue;
    findings.add(
      'config_conflict',
      [...path, 'fields', index, 'optional'],
      'Behind a column that may be missing stands one that may not.',
      'Write `empty: true` for a column that is there and may be empty.',
    );
  }
}

/** Checks one field of a text: whether its type reads text. */
export function lintColumn(
  field: FieldDeclaration,
  isBinary: boolean,
  path: Path,
  { region, findings }: Surroundings,
): void {
  if (region === undefined) return;
  const { type, quoted, length } = field;
  if (region === 'pairs' && field.hemisphere !== undefined) {
    findings.add(
      'config_no_effect',
      [...path, 'hemisphere'],
      'Behind a pair stands another key, and no sign.',
      'Remove it, or split the text into columns.',
    );
  }
  if (isBinary || type === 'bytes') {
    findings.add(
      'config_bad_value',
      [...path, 'type'],
      `\`${type}\` reads bytes, and a column is text.`,
      'Use number, hex_number or text.',
    );
  }
  if ((type === 'struct' || type === 'array') && !isSplit(field)) {
    if (region === 'pairs') {
      findings.add(
        'config_missing_key',
        path,
        'Nothing says how the value of the key is split.',
        'Add `separator:`.',
      );
    }
    for (const key of COLUMN_KEYS) {
      if (field[key] === undefined) continue;
      findings.add(
        'config_no_effect',
        [...path, key],
        `\`${key}\` has a meaning for one column, and here are several.`,
        'Write it at the fields within.',
      );
    }
  }
  if (length !== undefined && typeof length !== 'number' && length !== 'rest') {
    findings.add(
      'config_bad_value',
      [...path, 'length'],
      'A column ends at its separator.',
      'Remove it, or write how many characters it always has.',
    );
  }
  if (quoted === true && type !== 'text') {
    findings.add('config_no_effect', [...path, 'quoted'], 'Only text is quoted.', 'Remove it.');
  }
}

/** Checks the names of what a text may say. */
export function lintTextNames(
  { enum: names, value, encoding }: FieldDeclaration,
  path: Path,
  { findings }: Surroundings,
): void {
  const here = [...path, 'enum'];
  if (typeof names !== 'object' || Object.keys(names).length === 0) {
    findings.add(
      'config_bad_value',
      here,
      'Names of texts are written out at the field.',
      'Write for example { A: valid, V: void }.',
    );
    return;
  }
  if (value !== undefined || encoding?.startsWith('utf16')) {
    findings.add('config_no_effect', here, 'A constant has no names.', 'Remove it.');
  }
}
