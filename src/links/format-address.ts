import { isIPv6 } from 'node:net';
import type { LinkAddress, ListenAddress, SerialSelector } from './address.ts';

/** The address as it is written in a configuration, every serial setting spelled out; parsing it gives the same address. */
export function formatAddress(address: LinkAddress | ListenAddress): string {
  switch (address.scheme) {
    case 'tcp':
    case 'tcp-listen':
      return `${address.scheme}:${addressLabel(address)}`;
    case 'replay':
      return `replay:${address.path}${address.speed === 1 ? '' : `?speed=${address.speed}`}`;
    case 'serial': {
      const { baud, dataBits, parity, stopBits, rtscts, xon, xoff, dtr, rts, hupcl } = address.settings;
      const options = [`baud=${baud}-${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`];
      for (const [name, value] of Object.entries({ rtscts, xon, xoff })) {
        if (value) options.push(`${name}=true`);
      }
      if (dtr !== undefined) options.push(`dtr=${dtr}`);
      if (rts !== undefined) options.push(`rts=${rts}`);
      if (!hupcl) options.push('hupcl=false');
      return `serial:${selectorLabel(address.port)}?${options.join('&')}`;
    }
  }
}

/** Where an address leads, for people and state documents: `10.0.0.7:9089`, `[::1]:9089`, `/dev/ttyUSB0`, `usb=0403:6001`. */
export function addressLabel(address: LinkAddress | ListenAddress): string {
  if (address.scheme === 'serial') return selectorLabel(address.port);
  if (address.scheme === 'replay') return address.path;
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`;
}

function selectorLabel(port: SerialSelector): string {
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
