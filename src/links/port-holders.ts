import { readdir, readFile, readlink } from 'node:fs/promises';
import { systemCode } from './tcp-end.ts';

/** A process that has a port open. */
export interface PortHolder {
  readonly pid: number;
  /** Its command line, shortened. */
  readonly command: string;
}

const FRESH_MS = 500;
let latest:
  | { readonly atMs: number; readonly scan: Promise<ReadonlyMap<string, readonly number[]>> }
  | undefined;

/**
 * The other processes that have a device file open, by its canonical path; as far as `/proc` shows them to this user (nothing
 * on other systems than Linux, and only one's own processes without root). Scans are shared by calls close in time.
 */
export async function portHolders(realPath: string): Promise<PortHolder[]> {
  if (process.platform !== 'linux') return [];
  if (latest === undefined || performance.now() - latest.atMs > FRESH_MS) {
    latest = { atMs: performance.now(), scan: scanProcesses() };
  }
  const pids = (await latest.scan).get(realPath) ?? [];
  return Promise.all(pids.map(async (pid) => ({ pid, command: await commandOf(pid) })));
}

/**
 * Those of them that would take bytes away from this process: not every program locks the port that it reads. Ptys are
 * kept open by their makers, `socat` among them, and do not count.
 */
export async function otherReaders(realPath: string): Promise<PortHolder[]> {
  return /^\/dev\/(tty|rfcomm)/.test(realPath) ? portHolders(realPath) : [];
}

/** `minicom -D /dev/ttyUSB0 (process 4711)`. */
export const describeHolders = (holders: readonly PortHolder[]): string =>
  holders.map(({ pid, command }) => `${command} (process ${pid})`).join(', ');

async function scanProcesses(): Promise<ReadonlyMap<string, readonly number[]>> {
  const found = new Map<string, number[]>();
  for (const entry of await unlessGone(readdir('/proc'), [])) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const targets = new Set<string>();
    for (const fd of await unlessGone(readdir(`/proc/${pid}/fd`), [])) {
      const target = await unlessGone(readlink(`/proc/${pid}/fd/${fd}`), '');
      if (target.startsWith('/dev/')) targets.add(target);
    }
    for (const target of targets) found.set(target, [...(found.get(target) ?? []), pid]);
  }
  return found;
}

async function commandOf(pid: number): Promise<string> {
  const line = await unlessGone(readFile(`/proc/${pid}/cmdline`, 'utf8'), '');
  const command = line.replaceAll('\0', ' ').trim();
  return command.length > 80 ? `${command.slice(0, 77)}...` : command || 'a program';
}

/** Processes come and go while they are looked at, and others' are closed to us; both mean that there is nothing to see. */
async function unlessGone<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'ENOTDIR', 'EINVAL'].includes(systemCode(error)))
      return otherwise;
    throw error;
  }
}

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
