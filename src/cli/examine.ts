import { constants, type StatsFs } from 'node:fs';
import { access, readdir, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import {
  addressLabel,
  busyEnd,
  dial,
  type LinkAddress,
  type LinkEnd,
  type ListenAddress,
  listen,
  listeningHost,
  missingEnd,
  openTrace,
  otherReaders,
  permissionEnd,
  resolvePort,
  type SerialAddress,
  type UdpAddress,
  urlHost,
} from '../links/index.ts';
import { blocksOf } from '../system/index.ts';

/** As long as a person waits in front of a screen. */
const ANSWER_WITHIN_MS = 1_000;

/** What would happen to one thing of the configuration on this machine, now. */
export interface Finding {
  /** The device, `listener` or `server` concerned. */
  readonly about: string;
  /** Absent where all is well. */
  readonly code?: ErrorCode;
  readonly detail: string;
}

export const good = (about: string, detail: string): Finding => ({ about, detail });
export const bad = (about: string, { code, detail }: LinkEnd): Finding => ({ about, code, detail });

/** Looks at a serial port without opening it: opening moves its modem lines, and resets many a board. */
export async function examinePort(about: string, address: Pick<SerialAddress, 'port'>): Promise<Finding> {
  const found = await resolvePort(address.port);
  if ('end' in found) return bad(about, found.end);
  const { path } = found;
  // Windows ports are no files; whether they can be had shows only when they are opened.
  if (/^(\\\\\.\\)?COM\d+$/i.test(path))
    return good(about, `${path} is named; it is not looked at on Windows.`);
  let realPath: string;
  try {
    realPath = await realpath(path);
    if (!(await stat(realPath)).isCharacterDevice()) {
      return bad(about, {
        code: 'port_not_serial',
        detail: `${path} is not a serial port. See \`heartwire ports\`.`,
      });
    }
  } catch {
    return bad(about, missingEnd(path));
  }
  try {
    await access(realPath, constants.R_OK | constants.W_OK);
  } catch {
    return bad(about, await permissionEnd(path));
  }
  if ((await otherReaders(realPath)).length > 0) return bad(about, await busyEnd(path, realPath));
  return good(about, `${path} is there, free, and may be opened.`);
}

/** The device file that an address leads to now; undefined where it leads nowhere. */
export async function realPathOf(address: SerialAddress): Promise<string | undefined> {
  const found = await resolvePort(address.port);
  if ('end' in found) return undefined;
  return realpath(found.path).catch(() => undefined);
}

/** Opens a socket for datagrams to an address, and sends none: whether a device is there, only it could say. */
export async function examineDatagrams(about: string, address: UdpAddress): Promise<Finding> {
  const finding = await examineAddress(about, address, ANSWER_WITHIN_MS);
  if (finding.code !== undefined) return finding;
  const label = addressLabel(address);
  return good(about, `Datagrams can be sent to ${label}; whether a device is there shows when it answers.`);
}

/** Dials an address and hangs up again. */
export function examineAddress(about: string, address: LinkAddress, timeoutMs: number): Promise<Finding> {
  const label = addressLabel(address);
  return new Promise((resolve) => {
    const link = dial(address);
    let finding: Finding | undefined;
    let timer: NodeJS.Timeout | undefined;
    const dialling = (): void => {
      timer = setTimeout(() => {
        finding = bad(about, {
          code: 'connect_timeout',
          detail: `${label} did not answer within ${timeoutMs} ms. Check that the device is on, and the way to it.`,
        });
        link.destroy();
      }, timeoutMs);
    };
    // A look-up has a limit of its own.
    if (link.resolves !== true) dialling();
    link.open({
      dialling,
      opened: () => {
        finding = good(about, `${label} answers.`);
        link.destroy();
      },
      data: () => undefined,
      idle: () => undefined,
      closed: (end) => {
        clearTimeout(timer);
        resolve(finding ?? bad(about, end));
      },
    });
  });
}

/** Listens at an address for a moment. */
export function examineListening(about: string, address: ListenAddress): Promise<Finding> {
  return new Promise((resolve) => {
    const listener = listen(address);
    let finding: Finding | undefined;
    listener.start({
      listening: () => {
        finding = good(about, `${addressLabel(address)} is free to listen at.`);
        listener.close();
      },
      accepted: (link) => link.destroy(),
      closed: (end) => resolve(finding ?? bad(about, end)),
    });
  });
}

/**
 * The same for the port of page, API and feed. Where the bridge runs on this machine, the finding says so: what that
 * holds is busy, and nothing is wrong with it.
 */
export async function examineServer(address: ListenAddress): Promise<Finding> {
  const finding = await examineListening('server', address);
  const url = `http://${urlHost(address.host)}:${address.port}`;
  if (finding.code !== 'address_in_use' || !(await isBridge(address))) return finding;
  return {
    ...finding,
    detail: `A bridge runs at ${url} already. What it holds, ports and addresses, is busy for others; stop it to examine them.`,
  };
}

async function isBridge({ host, port }: ListenAddress): Promise<boolean> {
  try {
    // A name is looked up as it was for listening, which `fetch` does in another way.
    const url = `http://${urlHost(await listeningHost(host))}:${port}`;
    const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const said: unknown = await answer.json();
    return typeof said === 'object' && said !== null && 'version' in said && 'devices' in said;
  } catch {
    // Something else, or a bridge behind TLS: then it is what it looks like, another program.
    return false;
  }
}

/** Compares the limit on open files with what the configuration may need; undefined where the system does not say. */
export async function examineOpenFiles(
  needed: number,
  limitsFile = '/proc/self/limits',
): Promise<Finding | undefined> {
  let text: string;
  try {
    text = await readFile(limitsFile, 'utf8');
  } catch {
    // Only Linux has this file.
    return undefined;
  }
  const limit = Number(/^Max open files\s+(\d+)/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
  if (limit >= needed) return good('open files', `The limit of ${limit} is enough for ${needed}.`);
  return bad('open files', {
    code: 'open_file_limit',
    detail: `The limit of ${limit} open files is below the ${needed} that this configuration may need. Type \`ulimit -n ${needed}\` before starting, or set LimitNOFILE= in its systemd unit.`,
  });
}

/** Whether a folder is there and may be written to, or can be made. Nothing is made. `named`: where it is given. */
export async function examineFolder(
  about: string,
  dir: string,
  code: ErrorCode,
  named = `\`${about}.dir\``,
): Promise<Finding> {
  for (let path = dir; ; path = dirname(path)) {
    const found = await stat(path).catch((cause: NodeJS.ErrnoException) => cause);
    // Where there is a file on the way to it, that is found further up.
    if (found instanceof Error) {
      const missing = found.code === 'ENOENT' || found.code === 'ENOTDIR';
      if (missing && dirname(path) !== path) continue;
      return bad(about, { code, detail: `${path} cannot be looked at (${found.code}).` });
    }
    if (!found.isDirectory()) {
      const detail = `${path} is no folder. Take it away, or name another folder as ${named}.`;
      return bad(about, { code, detail });
    }
    try {
      await access(path, constants.W_OK | constants.X_OK);
    } catch {
      const detail = `This user may not write to ${path}. Change its owner, or name another folder as ${named}.`;
      return bad(about, { code, detail });
    }
    return good(about, path === dir ? `${dir} may be written to.` : `${dir} will be made.`);
  }
}

export interface RoomWanted {
  readonly budgetBytes: number;
  readonly maxFiles: number;
}

const MIB = 1024 * 1024;

/** Whether the disk of a folder has room for its budget; undefined where it has, or does not say. */
export async function examineRoom(
  about: string,
  dir: string,
  code: ErrorCode,
  { budgetBytes, maxFiles }: RoomWanted,
): Promise<Finding | undefined> {
  const disk = await diskOf(dir);
  if (disk === undefined) return undefined;
  const { bytes, files } = await usedBy(dir);
  const freeBytes = disk.bavail * disk.bsize + bytes;
  if (freeBytes < budgetBytes) {
    const detail = `${about}.budget_mb is ${mib(budgetBytes)}, and the disk of ${dir} has room for ${mib(freeBytes)}. Lower it, or free space.`;
    return bad(about, { code, detail });
  }
  // A file system without a table of files says 0 of both.
  const freeFiles = disk.files === 0 ? Number.POSITIVE_INFINITY : disk.ffree + files;
  if (freeFiles >= maxFiles) return undefined;
  const detail = `${about}.max_files is ${maxFiles}, and the disk of ${dir} has room for ${freeFiles} files. Lower it, or remove files.`;
  return bad(about, { code, detail });
}

/** That of the folder, or of the first one above it that is there. */
async function diskOf(dir: string): Promise<StatsFs | undefined> {
  for (let path = dir; ; path = dirname(path)) {
    try {
      return await statfs(path);
    } catch {
      // It is not there yet, or may not be looked at, which is found elsewhere.
      if (dirname(path) === path) return undefined;
    }
  }
}

async function usedBy(dir: string): Promise<{ readonly bytes: number; readonly files: number }> {
  // A folder that is not there has nothing in it; one that may not be read is found elsewhere.
  const names = await readdir(dir).catch((): string[] => []);
  let bytes = 0;
  let files = 0;
  for (const name of names) {
    const found = await stat(join(dir, name)).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    bytes += blocksOf(found.size);
    files += 1;
  }
  return { bytes, files };
}

const mib = (bytes: number): string => `${Math.floor(bytes / MIB)} MiB`;

/** Reads the beginning of a trace that a device plays. */
export async function examineTrace(about: string, path: string): Promise<Finding> {
  try {
    const { events } = await openTrace(path, path, () => undefined);
    // Nothing more of it is read.
    await events[Symbol.asyncIterator]().return?.();
    return good(about, `${path} is a trace.`);
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    return bad(about, { code: error.code, detail: error.message });
  }
}
