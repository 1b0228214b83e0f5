import { realpath } from 'node:fs/promises';
import type { SerialPort } from 'serialport';
import { HeartwireError } from '../errors.ts';
import type { LinkEnd } from './link.ts';
import { claimPort, otherReaders, type PortOwner } from './port-holders.ts';
import { loadSerialPort, turnLoopOnEvents } from './port-list.ts';
import { resolvePort } from './port-resolve.ts';
import type { SerialAddress, SerialSettings } from './serial-address.ts';
import { busyEnd, missingEnd, openEnd, ownBusyEnd } from './serial-end.ts';

/** A port that is open and claimed; its holder calls `release` once its descriptor is closed. */
export interface OpenPort {
  readonly port: SerialPort;
  /** As it was found: the name that people know. */
  readonly path: string;
  /** With all symbolic links followed. */
  readonly realPath: string;
  release(): void;
}

/** Chunks are slices of pools of this size. */
const READ_POOL_BYTES = 16 * 1_024;

/**
 * Finds a port, takes it for this process and opens it, always as a new `SerialPort`: one that is opened again may stay
 * deaf after a write error. Never rejects.
 */
export async function openPort(address: SerialAddress, holder: PortOwner): Promise<OpenPort | LinkEnd> {
  let release: (() => void) | undefined;
  try {
    const found = await resolvePort(address.port);
    if ('end' in found) return found.end;
    const { path } = found;
    const realPath = await canonical(path);
    if (realPath === undefined) return missingEnd(path);
    const claim = claimPort(realPath, holder);
    if ('heldBy' in claim) return ownBusyEnd(path, claim.heldBy, holder.device);
    release = claim.release;
    const opened = await openClaimed(path, realPath, address.settings, release);
    if (!('port' in opened)) release();
    return opened;
  } catch (error) {
    release?.();
    if (error instanceof HeartwireError) {
      return {
        code: error.code,
        detail: error.fix === undefined ? error.message : `${error.message} ${error.fix}`,
      };
    }
    return { code: 'port_failed', detail: `A serial port could not be looked for: ${String(error)}.` };
  }
}

async function openClaimed(
  path: string,
  realPath: string,
  settings: SerialSettings,
  release: () => void,
): Promise<OpenPort | LinkEnd> {
  const SerialPortClass = await loadSerialPort();
  if ((await otherReaders(realPath)).length > 0) return busyEnd(path, realPath);
  let port: SerialPort;
  try {
    port = new SerialPortClass({
      path,
      baudRate: settings.baud,
      dataBits: settings.dataBits,
      stopBits: settings.stopBits,
      parity: settings.parity,
      rtscts: settings.rtscts,
      xon: settings.xon,
      xoff: settings.xoff,
      hupcl: settings.hupcl,
      lock: true,
      autoOpen: false,
      highWaterMark: READ_POOL_BYTES,
    });
    await new Promise<void>((resolve, reject) =>
      port.open((error) => (error === null || error === undefined ? resolve() : reject(error))),
    );
  } catch (error) {
    return openEnd(error, path, realPath);
  }
  turnLoopOnEvents(port);
  const refused = await setModemLines(port, settings);
  if (refused === undefined) return { port, path, realPath, release };
  await new Promise<void>((resolve) => port.close(() => resolve()));
  return {
    code: 'port_settings',
    detail: `The driver of ${path} does not let its modem lines be set: ${refused.message}. Leave dtr and rts out.`,
  };
}

/** The library sets all lines at once; those that are not configured stay raised, as opening left them. */
function setModemLines(port: SerialPort, { dtr, rts }: SerialSettings): Promise<Error | undefined> {
  if (dtr === undefined && rts === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) =>
    port.set({ dtr: dtr ?? true, rts: rts ?? true }, (error) => resolve(error ?? undefined)),
  );
}

async function canonical(path: string): Promise<string | undefined> {
  if (process.platform === 'win32') return path;
  try {
    return await realpath(path);
  } catch {
    // Missing, a dangling link, or in a directory closed to us: there is nothing here that could be opened.
    return undefined;
  }
}
