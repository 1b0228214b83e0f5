import { readFile, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { LinkEnd } from './link.ts';
import { describeHolders, type PortOwner, portHolders } from './port-holders.ts';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Why a port could not be opened. The library's errors carry no code, so their texts are read. */
export async function openEnd(error: unknown, path: string, realPath: string): Promise<LinkEnd> {
  const message = messageOf(error);
  if (/no such (file|device)|ENOENT|ENXIO|ENODEV|file not found/i.test(message)) return missingEnd(path);
  if (/permission denied|EACCES|operation not permitted/i.test(message)) return permissionEnd(path);
  // Windows denies access to a port that is open elsewhere; Unix fails to lock it.
  if (/cannot lock port|resource busy|temporarily unavailable|access denied/i.test(message)) {
    return busyEnd(path, realPath);
  }
  if (
    /inappropriate ioctl|not a typewriter|is a directory|invalid handle|operation not supported/i.test(
      message,
    )
  ) {
    return {
      code: 'port_not_serial',
      detail: `${path} is not a serial port. See \`heartwire ports\` for those that are.`,
    };
  }
  // A UART that is not there takes no settings at all.
  if (
    !/input\/output error/i.test(message) &&
    /baud rate|data bits|stop bits|parity|incorrect/i.test(message)
  ) {
    return {
      code: 'port_settings',
      detail: `The driver of ${path} does not support these line settings: ${message}. Choose others.`,
    };
  }
  return {
    code: 'port_failed',
    detail: `${path} could not be opened: ${message}. Check that a device is behind it, or plug it in again.`,
  };
}

export const missingEnd = (path: string): LinkEnd => ({
  code: 'port_missing',
  detail: `There is no ${path} now. Plug the device in, or see \`heartwire ports\` for what is there.`,
});

/** Names the line to type: on Linux, joining the group that owns the port. */
export async function permissionEnd(path: string): Promise<LinkEnd> {
  const group = process.platform === 'linux' ? await groupOf(path) : undefined;
  const fix =
    group === undefined
      ? 'Give this user access to it.'
      : `Type \`sudo usermod -aG ${group} ${userInfo().username}\`, then log out and in again.`;
  return { code: 'port_permission', detail: `This user may not open ${path}. ${fix}` };
}

/** Names the holders of the port, where the system shows them. */
export async function busyEnd(path: string, realPath: string): Promise<LinkEnd> {
  const holders = await portHolders(realPath);
  const owner = holders.length > 0 ? describeHolders(holders) : 'another program';
  return { code: 'port_busy', detail: `${path} is held by ${owner}. Stop it, or use another port.` };
}

/** A link of this bridge has the port; `device` wants it. */
export function ownBusyEnd(path: string, holder: PortOwner, device: string | undefined): LinkEnd {
  const { leaving } = holder;
  const owner = holder.device === undefined ? 'another device' : `the device ${holder.device}`;
  const whose = device !== undefined && holder.device === device ? 'its own former link' : `that of ${owner}`;
  const detail = leaving
    ? `${path} is not free yet: ${whose} is still being closed. It is tried again by itself.`
    : `${path} is held by ${owner} of this bridge. Give each device a port of its own.`;
  return { code: 'port_busy', detail };
}

export const unpluggedEnd = (path: string): LinkEnd => ({
  code: 'port_unplugged',
  detail: `${path} vanished. Plug the device in again; it is found by itself.`,
});

/** Why a port that was open broke. */
export function portBrokenEnd(error: unknown, path: string): LinkEnd {
  const message = messageOf(error);
  if (
    /EBADF|ENXIO|ENODEV|EIO|bad file descriptor|i\/o error|operation aborted|access denied/i.test(message)
  ) {
    return unpluggedEnd(path);
  }
  return {
    code: 'port_failed',
    detail: `${path} failed: ${message}. Plug the device in again if it stays so.`,
  };
}

async function groupOf(path: string): Promise<string> {
  try {
    const { gid } = await stat(path);
    const groups = await readFile('/etc/group', 'utf8');
    const line = groups.split('\n').find((each) => each.split(':')[2] === String(gid));
    const name = line?.split(':', 1)[0];
    // Joining root's group is no fix.
    return name === undefined || name === 'root' ? 'dialout' : name;
  } catch {
    // The port or the list of groups cannot be read: the usual group is the best advice.
    return 'dialout';
  }
}
