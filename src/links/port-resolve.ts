import { type Stats, stat } from 'node:fs';
import { access } from 'node:fs/promises';
import type { LinkEnd } from './link.ts';
import { listPorts, type PortIdentity } from './port-list.ts';
import type { SerialSelector } from './serial-address.ts';

/** Where a selector leads now: a path to open, or why there is none. */
export type ResolvedPort = { readonly path: string } | { readonly end: LinkEnd };

const SEE_PORTS = 'Plug the device in, or see `heartwire ports` for what is there.';

/** Finds the port that a selector names; asked again at every opening, because a replug may rename it. */
export async function resolvePort(
  selector: SerialSelector,
  list: () => Promise<PortIdentity[]> = listPorts,
): Promise<ResolvedPort> {
  switch (selector.by) {
    case 'path':
      return { path: selector.path };
    case 'by_id': {
      const link = `/dev/serial/by-id/${selector.name}`;
      if (process.platform === 'linux' && (await exists(link))) return { path: link };
      return only(
        `by_id=${selector.name}`,
        (await list()).filter((port) => port.byId === selector.name),
      );
    }
    case 'usb_serial':
      return only(
        `usb_serial=${selector.serialNumber}`,
        (await list()).filter((port) => port.serialNumber === selector.serialNumber),
      );
    case 'usb':
      return only(
        `usb=${selector.vendorId}:${selector.productId}`,
        (await list()).filter(
          (port) => port.vendorId === selector.vendorId && port.productId === selector.productId,
        ),
      );
  }
}

function only(selector: string, found: readonly PortIdentity[]): ResolvedPort {
  const [first, second] = found;
  if (first === undefined) {
    return { end: { code: 'port_missing', detail: `No serial port is ${selector} now. ${SEE_PORTS}` } };
  }
  if (second === undefined) return { path: first.path };
  const choices = found.map(({ path, serialNumber, byId }) =>
    serialNumber !== undefined
      ? `${path} (usb_serial=${serialNumber})`
      : byId !== undefined
        ? `${path} (by_id=${byId})`
        : path,
  );
  return {
    end: {
      code: 'port_ambiguous',
      detail: `${found.length} serial ports are ${selector}: ${choices.join(', ')}. Name one of them by usb_serial, by_id or path.`,
    },
  };
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const POLL_MS = 500;
/** Windows has no device files; listing its ports is slow. */
const LIST_POLL_MS = 2_000;

/**
 * Looks whether a port that is open is still there, and still the same: a `close` event is not always emitted when a
 * device is unplugged. Calls `vanished` once; returns what stops it.
 */
export function watchPresence(realPath: string, vanished: () => void): () => void {
  const look = process.platform === 'win32' ? looksByList(realPath) : looksByFile(realPath);
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const again = (): void => {
    timer = setTimeout(
      () =>
        look((there) => {
          if (stopped) return;
          if (there) again();
          else vanished();
        }),
      process.platform === 'win32' ? LIST_POLL_MS : POLL_MS,
    );
    timer.unref();
  };
  // The first look keeps what the port is at present.
  look(() => {
    if (!stopped) again();
  });
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

type Look = (result: (there: boolean) => void) => void;

function looksByFile(realPath: string): Look {
  let first: Stats | undefined;
  return (result) =>
    stat(realPath, (error, stats) => {
      // Only a missing file is a missing port; a lack of descriptors or of rights says nothing.
      if (error !== null) return result(!['ENOENT', 'ENXIO', 'ENODEV', 'ENOTDIR'].includes(error.code ?? ''));
      first ??= stats;
      result(stats.rdev === first.rdev && stats.ino === first.ino);
    });
}

function looksByList(path: string): Look {
  const name = path.replace(/^\\\\\.\\/, '').toUpperCase();
  return (result) => {
    listPorts().then(
      (ports) => result(ports.some((port) => port.path.toUpperCase() === name)),
      // A list that cannot be read says nothing about the port.
      () => result(true),
    );
  };
}
