import { isIPv6 } from 'node:net';
import type { LinkAddress, ListenAddress, SerialSelector } from './address.ts';

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
