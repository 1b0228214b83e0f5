import { isIPv6 } from 'node:net';

/** A TCP peer; `host` without brackets. */
export interface TcpAddress {
  readonly scheme: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** How a serial port is found: by path, or by what stays the same when it is plugged in again; never by index. */
export type SerialSelector =
  | { readonly by: 'path'; readonly path: string }
  /** USB vendor and product id, four lower-case hex digits each. */
  | { readonly by: 'usb'; readonly vendorId: string; readonly productId: string }
  | { readonly by: 'usb_serial'; readonly serialNumber: string }
  /** A name below `/dev/serial/by-id/`. */
  | { readonly by: 'by_id'; readonly name: string };

export interface SerialSettings {
  readonly baud: number;
  readonly dataBits: 5 | 6 | 7 | 8;
  readonly stopBits: 1 | 1.5 | 2;
  readonly parity: 'none' | 'even' | 'odd' | 'mark' | 'space';
  readonly rtscts: boolean;
  readonly xon: boolean;
  readonly xoff: boolean;
  /** Modem lines set when the port is opened; absent: left as they are. */
  readonly dtr?: boolean;
  readonly rts?: boolean;
  /** Drop the modem lines when the port is closed. */
  readonly hupcl: boolean;
}

/** A serial port and how it is spoken to. */
export interface SerialAddress {
  readonly scheme: 'serial';
  readonly port: SerialSelector;
  readonly settings: SerialSettings;
}

/** A listening TCP address; port 0 takes any free one. */
export interface ListenAddress {
  readonly scheme: 'tcp-listen';
  readonly host: string;
  readonly port: number;
}

/** A trace that is played as if it were a device. */
export interface ReplayAddress {
  readonly scheme: 'replay';
  readonly path: string;
  /** How many times as fast as it was. */
  readonly speed: number;
}

/** What a device can be dialled by. */
export type LinkAddress = TcpAddress | SerialAddress | ReplayAddress;

/** Where an address leads, for people and state documents: `10.0.0.7:9089`, `[::1]:9089`, `/dev/ttyUSB0`, `usb=0403:6001`. */
export function addressLabel(address: LinkAddress | ListenAddress): string {
  if (address.scheme === 'serial') return selectorLabel(address.port);
  if (address.scheme === 'replay') return address.path;
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`;
}

/** A serial port as the part of an address that names it. */
export function selectorLabel(port: SerialSelector): string {
  switch (port.by) {
    case 'path':
      return port.path;
    case 'usb':
      return `usb=${port.vendorId}:${port.productId}`;
    case 'usb_serial':
      return `usb_serial=${port.serialNumber}`;
    case 'by_id':
      return `by_id=${port.name}`;
  }
}

/** `10.0.0.7:9089`, `[fe80::1%eth0]:9089`. */
export const formatHostPort = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** An IPv4 peer of a dual-stack socket is `::ffff:10.0.0.7` to the operating system and `10.0.0.7` to everyone else. */
export const normaliseHost = (host: string): string =>
  host.toLowerCase().startsWith('::ffff:') && host.includes('.') ? host.slice('::ffff:'.length) : host;

/** Why a text could not be read: what is wrong with it, and what to write instead; whole sentences. */
export interface AddressProblem {
  readonly problem: string;
  readonly fix: string;
}

/** What a text was read as, or why not. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & AddressProblem);

/** Says what is wrong with a text, and what to write instead. */
export function refuse(problem: string, fix: string): { readonly ok: false } & AddressProblem {
  return { ok: false, problem, fix };
}
