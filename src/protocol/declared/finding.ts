import type { ErrorCode } from '../../errors.ts';

/** What is wrong, or doubtful, with a declaration. */
export interface DeclarationFinding {
  readonly severity: 'error' | 'warning';
  readonly code: Extract<ErrorCode, `config_${string}`>;
  /** Keys and indices, as the file `messages.yaml` writes them. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly fix: string;
}

export type Path = DeclarationFinding['path'];

/** Collects findings; the severity is `error` where nothing else is said. */
export class Findings {
  readonly all: DeclarationFinding[] = [];

  add(
    code: DeclarationFinding['code'],
    path: Path,
    message: string,
    fix: string,
    severity: DeclarationFinding['severity'] = 'error',
  ): void {
    this.all.push({ severity, code, path, message, fix });
  }

  get errors(): number {
    return this.all.filter(({ severity }) => severity === 'error').length;
  }
}

/** `messages[0].fields[2].scale` */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}

const REFUSED = new Set(['constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf']);

/**
 * Complains of names that a URL, a JSON patch, a metric or a program could not carry: letters, digits and underscores,
 * not in front a digit or two underscores.
 */
export function lintName(name: string | undefined, path: Path, what: string, findings: Findings): boolean {
  if (name === undefined || name === '') {
    findings.add('config_missing_key', path, `${what} has no name.`, 'Add `name:`.');
    return false;
  }
  if (/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name) && !name.startsWith('__') && !REFUSED.has(name)) return true;
  const plain = name
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^[_\d]+/, '')
    .slice(0, 64);
  findings.add(
    'config_bad_value',
    path,
    REFUSED.has(name) || name.startsWith('__')
      ? 'This name has a meaning of its own in programs and in metrics.'
      : 'URLs, patches and metrics could not carry this name.',
    `Use at most 64 letters, digits and underscores, a letter first${plain === '' || REFUSED.has(plain) ? '' : `, for example ${plain}`}.`,
  );
  return false;
}
