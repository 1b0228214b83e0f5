import { stat } from 'node:fs/promises';
import type { SerialSelector } from './address.ts';
import type { LinkEnd } from './link.ts';
import { listPorts, type PortIdentity } from './port-list.ts';

/** Where a selector leads now: a path to open, or why there is none. */
export type ResolvedPort = { readonly path: string } | { readonly end: LinkEnd };

const SEE_PORTS = 'Plug the device in, or see `heartwire ports` for what is there.';

/** Finds the port that a selector names; asked anew at every opening, because a replug may rename it. */
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
  stat(path).then(
    () => true,
    () => false,
  );
