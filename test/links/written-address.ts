import { selectorLabel } from '../../src/links/serial-address.ts';
import type { ListenAddress } from '../../src/links/tcp-listen.ts';
import { addressLabel, type LinkAddress } from '../../src/links/transports.ts';

/** The address as somebody may write it in a configuration, every serial setting spelled out. */
export function writtenAddress(address: LinkAddress | ListenAddress): string {
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
