import { formatHostPort } from '../../src/links/address.ts';
import { type SerialSettings, selectorLabel } from '../../src/links/serial-address.ts';
import type { ListenAddress } from '../../src/links/transports.ts';
import { addressLabel, type LinkAddress } from '../../src/links/transports.ts';

/** The address as somebody may write it in a configuration, every serial setting spelled out. */
export function writtenAddress(address: LinkAddress | ListenAddress): string {
  switch (address.scheme) {
    case 'udp-listen':
      return `udp-listen:${formatHostPort(address.host, address.port)}`;
    case 'tcp':
    case 'tcp-listen':
      return `${address.scheme}:${addressLabel(address)}`;
    case 'unix':
      return `unix:${address.path}`;
    case 'udp': {
      const { localPort } = address;
      return `udp:${addressLabel(address)}${localPort === undefined ? '' : `?local_port=${localPort}`}`;
    }
    case 'rfc2217':
      return `rfc2217:${addressLabel(address)}?${writtenSettings(address.settings)}`;
    case 'replay':
      return `replay:${address.path}${address.speed === 1 ? '' : `?speed=${address.speed}`}`;
    case 'serial':
      return `serial:${selectorLabel(address.port)}?${writtenSettings(address.settings)}`;
  }
}

function writtenSettings(settings: SerialSettings): string {
  const { baud, dataBits, parity, stopBits, rtscts, xon, xoff, dtr, rts, hupcl } = settings;
  const options = [`baud=${baud}-${dataBits}${parity.charAt(0).toUpperCase()}${stopBits}`];
  for (const [name, value] of Object.entries({ rtscts, xon, xoff })) {
    if (value) options.push(`${name}=true`);
  }
  if (dtr !== undefined) options.push(`dtr=${dtr}`);
  if (rts !== undefined) options.push(`rts=${rts}`);
  if (!hupcl) options.push('hupcl=false');
  return options.join('&');
}
