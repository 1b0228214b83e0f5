import type { SerialAddress, SerialSelector, SerialSettings } from '../../src/links/serial-address.ts';

const SETTINGS: SerialSettings = {
  baud: 115_200,
  dataBits: 8,
  stopBits: 1,
  parity: 'none',
  rtscts: false,
  xon: false,
  xoff: false,
  hupcl: true,
};

/** A port by path, or by another selector, at 115200-8N1 unless told. */
export const serialAddress = (
  port: string | SerialSelector,
  settings: Partial<SerialSettings> = {},
): SerialAddress => ({
  scheme: 'serial',
  port: typeof port === 'string' ? { by: 'path', path: port } : port,
  settings: { ...SETTINGS, ...settings },
});
