import type { Path } from './problem.ts';

/** What stands in a file, without the user and password of an address; a password may hold an `@` of its own. */
export function maskSecrets(text: string): string {
  return text.replace(/(:\/\/).*@/g, '$1***@');
}

/** Whether what stands at a path may be a secret as a whole, and is never repeated. */
export function mayBeSecret(path: Path): boolean {
  // A token that was pasted in the place of its hash, or a password in the place of its file.
  if (path[0] === 'access') return path[1] === 'tokens';
  return path[0] === 'outputs' && path.some((key) => /(_file|password|secret|token)$/.test(String(key)));
}

/** Scheme and host of an address: its path is the secret of many a hook. Undefined where it is no address. */
export function maskedAddress(text: string): string | undefined {
  const bare = text.replace(/^["']|["']$/g, '');
  if (!URL.canParse(bare)) return undefined;
  const { protocol, host, username, password } = new URL(bare);
  return host === '' ? undefined : `${protocol}//${username + password === '' ? '' : '***@'}${host}`;
}
