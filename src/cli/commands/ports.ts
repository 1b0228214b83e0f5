import { setTimeout as wait } from 'node:timers/promises';
import { listPorts, type PortIdentity } from '../../links/index.ts';
import type { CliIo, Command, ExitCode } from '../command.ts';

interface PortsArgs {
  readonly watch: boolean;
  readonly json: boolean;
}

const WATCH_MS = 1_000;

/** Lists the serial ports with selectors that find them again after a replug. */
export const command: Command<PortsArgs> = {
  usage: 'ports',
  describe: 'List the serial ports, with what to write in devices.yaml',
  place: 60,
  task: 'connect',
  examples: [
    ['heartwire ports', 'what is plugged in now, and the link of each'],
    ['heartwire ports --watch', 'plug and unplug, and see which port it is'],
  ],
  options: (yargs) =>
    yargs
      .option('watch', { type: 'boolean', default: false, describe: 'Go on, and print what comes and goes' })
      .option('json', {
        type: 'boolean',
        default: false,
        describe: 'Print JSON; with --watch one line a change',
      }),
  run: ({ watch, json }, io) => (watch ? watchPorts(json, io) : printPorts(json, io)),
};

async function printPorts(json: boolean, io: CliIo): Promise<ExitCode> {
  const found = await listPorts();
  if (json) {
    io.out(`${JSON.stringify(found.map((port) => asJson(port, found)))}\n`);
    return 0;
  }
  for (const port of found) io.out(`${describePort(port, found)}\n`);
  if (found.length === 0) {
    io.err('No serial port is here. Plug a device in, or `heartwire ports --watch` while you do.\n');
  }
  return 0;
}

async function watchPorts(json: boolean, io: CliIo): Promise<ExitCode> {
  const stop = new AbortController();
  const forget = (['SIGINT', 'SIGTERM'] as const).map((signal) => io.onSignal(signal, () => stop.abort()));
  const signal = AbortSignal.any([stop.signal, io.outClosed]);
  let known: readonly PortIdentity[] = [];
  if (!json) io.err('Watching the serial ports; Ctrl-C ends it.\n');
  try {
    while (!signal.aborted) {
      const found = await listPorts();
      for (const change of changesBetween(known, found)) {
        const among = change.event === 'added' ? found : known;
        if (json) io.out(`${JSON.stringify({ event: change.event, port: asJson(change.port, among) })}\n`);
        else io.out(`${change.event === 'added' ? '+' : '-'} ${describePort(change.port, among)}\n`);
      }
      known = found;
      await wait(WATCH_MS, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const each of forget) each();
  }
  return 0;
}

/** What came and what went; a port that shows another device behind the same name did both. */
export function changesBetween(
  before: readonly PortIdentity[],
  now: readonly PortIdentity[],
): Array<{ readonly event: 'added' | 'removed'; readonly port: PortIdentity }> {
  const key = (port: PortIdentity): string =>
    JSON.stringify([port.path, port.vendorId, port.productId, port.serialNumber]);
  const had = new Set(before.map(key));
  const has = new Set(now.map(key));
  return [
    ...before.filter((port) => !has.has(key(port))).map((port) => ({ event: 'removed' as const, port })),
    ...now.filter((port) => !had.has(key(port))).map((port) => ({ event: 'added' as const, port })),
  ];
}

/** The link to write in devices.yaml: by what stays the same over a replug, as far as it distinguishes this port from the others. */
export function stableLink(port: PortIdentity, among: readonly PortIdentity[]): string {
  const { serialNumber, byId, vendorId, productId, path } = port;
  const alone = (same: (other: PortIdentity) => boolean): boolean => among.filter(same).length <= 1;
  // A selector ends at `?`, where the line settings begin.
  if (
    serialNumber !== undefined &&
    /^[\w.:-]+$/.test(serialNumber) &&
    alone((other) => other.serialNumber === serialNumber)
  ) {
    return `serial:usb_serial=${serialNumber}`;
  }
  if (byId !== undefined && /^[\w.:-]+$/.test(byId)) return `serial:by_id=${byId}`;
  if (
    vendorId !== undefined &&
    productId !== undefined &&
    alone((other) => other.vendorId === vendorId && other.productId === productId)
  ) {
    return `serial:usb=${vendorId}:${productId}`;
  }
  return path;
}

function describePort(port: PortIdentity, among: readonly PortIdentity[]): string {
  const { path, manufacturer, vendorId, productId, serialNumber } = port;
  const usb = vendorId === undefined ? undefined : `${vendorId}:${productId ?? '?'}`;
  const identity = [manufacturer, usb, serialNumber && `serial number ${serialNumber}`]
    .filter(Boolean)
    .join(', ');
  return `${path.padEnd(16)} ${(identity || 'no USB identity').padEnd(40)} link: ${stableLink(port, among)}`;
}

const asJson = (port: PortIdentity, among: readonly PortIdentity[]) => ({
  path: port.path,
  link: stableLink(port, among),
  vendor_id: port.vendorId,
  product_id: port.productId,
  serial_number: port.serialNumber,
  by_id: port.byId,
  manufacturer: port.manufacturer,
});
