/** The ports that links of this process hold, by canonical path: two readers would split the bytes between them. */
const claims = new Map<string, string>();

/** Takes a port; undefined where another link has it. The returned function gives it back, once. */
export function claimPort(realPath: string, owner: string): (() => void) | undefined {
  const key = process.platform === 'win32' ? realPath.replace(/^\\\\\.\\/, '').toUpperCase() : realPath;
  if (claims.has(key)) return undefined;
  claims.set(key, owner);
  let held = true;
  return () => {
    if (held) claims.delete(key);
    held = false;
  };
}
