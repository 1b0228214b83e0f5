/** A link of this process that has a port, as the next one that wants it sees it. */
export interface PortOwner {
  /** The device whose link it is, where that is known. */
  readonly device: string | undefined;
  /** It is being closed: the port is free once the operating system has let go of it. */
  readonly leaving: boolean;
}

/** The ports that links of this process hold, by canonical path: two readers would split the bytes between them. */
const claims = new Map<string, PortOwner>();

/** Takes a port; its holder where another link has it. `release` gives it back, once. */
export function claimPort(
  realPath: string,
  holder: PortOwner,
): { readonly release: () => void } | { readonly heldBy: PortOwner } {
  const key = process.platform === 'win32' ? realPath.replace(/^\\\\\.\\/, '').toUpperCase() : realPath;
  const heldBy = claims.get(key);
  if (heldBy !== undefined) return { heldBy };
  claims.set(key, holder);
  let held = true;
  const release = (): void => {
    if (held) claims.delete(key);
    held = false;
  };
  return { release };
}
