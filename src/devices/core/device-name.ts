const NAME = /^[A-Za-z0-9._-]{1,64}$/;

/** The id of a device that no `match` names: its IMEI, or `hex-` and its bytes where that could be no name. */
export function nameByImei(imei: string): string {
  if (NAME.test(imei)) return imei;
  const bytes = new TextEncoder().encode(imei);
  return `hex-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** The id of a device that never says who it is: `addr-` and its IP address, colons as hyphens, without the scope. */
export function nameByAddress(host: string): string {
  const [address = ''] = host.split('%');
  return `addr-${address.replaceAll(':', '-')}`;
}
