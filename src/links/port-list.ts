import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SerialPort } from 'serialport';
import { HeartwireError } from '../errors.ts';

/** A serial port with what stays the same when it is plugged in again; ids in lower-case hex, as selectors want them. */
export interface PortIdentity {
  readonly path: string;
  readonly vendorId?: string;
  readonly productId?: string;
  readonly serialNumber?: string;
  /** Its name below `/dev/serial/by-id/`; on Windows the PnP id. */
  readonly byId?: string;
  readonly manufacturer?: string;
}

/** The ports that are there now, sorted by path. Where `udevadm` is missing, Linux is asked through `/sys` and `/dev`. */
export async function listPorts(): Promise<PortIdentity[]> {
  const ports = process.platform === 'linux' ? await listLinux() : await listByLibrary();
  return ports.sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }));
}

async function listByLibrary(): Promise<PortIdentity[]> {
  const SerialPort = await loadSerialPort();
  return (await SerialPort.list()).map((port) =>
    identity({
      ...port,
      vendorId: port.vendorId?.toLowerCase(),
      productId: port.productId?.toLowerCase(),
      byId: port.pnpId,
    }),
  );
}

/** The library knows more names (a manufacturer's), `/sys` is always there and knows which ports are real. */
async function listLinux(): Promise<PortIdentity[]> {
  const scanned = await scanPorts();
  let named: PortIdentity[];
  try {
    named = await listByLibrary();
  } catch {
    // No udevadm, or no native binding: what was scanned is enough to open a port by any selector.
    return scanned;
  }
  const byPath = new Map(named.map((port) => [port.path, port]));
  return scanned.map((port) => ({ ...byPath.get(port.path), ...port }));
}

/** The ports of a Linux system, from `/sys/class/tty` and `/dev/serial/by-id` below `root`. */
export async function scanPorts(root = '/'): Promise<PortIdentity[]> {
  const byId = new Map<string, string>();
  const links = join(root, 'dev/serial/by-id');
  for (const name of await entries(links)) {
    const target = await canonical(join(links, name));
    if (target !== undefined) byId.set(basename(target), name);
  }
  const ports: PortIdentity[] = [];
  const ttys = join(root, 'sys/class/tty');
  for (const name of await entries(ttys)) {
    const device = await canonical(join(ttys, name, 'device'));
    // Consoles and ptys have no device; a ttyS of type 0 has no UART behind it.
    if (device === undefined || (await attribute(join(ttys, name), 'type')) === '0') continue;
    const usb = await usbAttributes(device, root);
    ports.push(identity({ path: join(root, 'dev', name), ...usb, byId: byId.get(name) }));
    byId.delete(name);
  }
  for (const [name, id] of byId) ports.push(identity({ path: join(root, 'dev', name), byId: id }));
  return ports;
}

async function usbAttributes(
  device: string,
  root: string,
): Promise<Partial<Record<keyof PortIdentity, string>>> {
  for (let at = device; at.length > join(root, 'sys').length; at = dirname(at)) {
    const vendorId = await attribute(at, 'idVendor');
    if (vendorId === undefined) continue;
    return {
      vendorId: vendorId.toLowerCase(),
      ...present('productId', (await attribute(at, 'idProduct'))?.toLowerCase()),
      ...present('serialNumber', await attribute(at, 'serial')),
      ...present('manufacturer', await attribute(at, 'manufacturer')),
    };
  }
  return {};
}

const present = (
  key: keyof PortIdentity,
  value: string | undefined,
): Partial<Record<keyof PortIdentity, string>> =>
  value === undefined || value === '' ? {} : { [key]: value };

const identity = (
  raw: { path: string } & { [K in keyof PortIdentity]?: string | undefined },
): PortIdentity => ({
  path: raw.path,
  ...present('vendorId', raw.vendorId),
  ...present('productId', raw.productId),
  ...present('serialNumber', raw.serialNumber),
  ...present('byId', raw.byId),
  ...present('manufacturer', raw.manufacturer),
});

// What is not there, or vanished while it was looked at, is simply not a port.
const entries = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);
const canonical = (path: string): Promise<string | undefined> => realpath(path).catch(() => undefined);
const attribute = (directory: string, name: string): Promise<string | undefined> =>
  readFile(join(directory, name), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );

let loading: Promise<typeof SerialPort> | undefined;

/**
 * The serial library, loaded at its first use: a bridge with TCP only never loads its native part. Rejects with
 * `serial_unavailable` where that does not load, and tries again the next time.
 */
export function loadSerialPort(): Promise<typeof SerialPort> {
  loading ??= import('serialport').then(
    (library) => library.SerialPort,
    (cause: unknown) => {
      loading = undefined;
      throw new HeartwireError(
        'serial_unavailable',
        `The native part of the serial library does not load on ${process.platform}-${process.arch}: ${
          cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause)
        }`,
        { cause, fix: 'Run `npm rebuild @serialport/bindings-cpp` with the Node that runs the bridge.' },
      );
    },
  );
  return loading;
}

const EVENTS_OF_POLLER = ['readable', 'writable'] as const;
const nothing = (): void => undefined;

/**
 * Lets reads and writes of an open port go on at once. The poller of the library calls JavaScript from native code
 * without a callback scope, so Node 26 runs the promises behind such a call only when something else turns the event
 * loop (node-serialport#3148). One immediate for each event turns it; other releases of Node do not need it. On
 * Windows the library has no poller.
 */
export function turnLoopOnEvents({ port: binding }: SerialPort): void {
  if (binding === undefined || !('poller' in binding)) return;
  for (const event of EVENTS_OF_POLLER) binding.poller.on(event, () => setImmediate(nothing));
}
