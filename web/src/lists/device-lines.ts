/** What a device is to be, as a person chose it. */
export interface DeviceChoice {
  readonly id: string;
  /** `/dev/ttyUSB0`, `tcp:10.0.0.7:4001`; empty where it dials in. */
  readonly link: string;
  readonly baud: string;
  /** Of a device that dials in: what its first bytes say that it is, or where it comes from. */
  readonly identity: string;
  readonly from: string;
  /** `pack:scpi-supply`, a file, or empty for the built-in messages. */
  readonly messages: string;
}

/** A text of YAML that stays what it is. */
const quoted = (text: string): string =>
  /^[A-Za-z_./][\w./-]*(?::[A-Za-z0-9-]+)?$/.test(text) ? text : JSON.stringify(text);

/** The entry of `devices:` that a choice means. */
export function deviceEntry({ id, link, baud, identity, from, messages }: DeviceChoice): string {
  const lines = [`- id: ${quoted(id)}`];
  if (link !== '') lines.push(`  link: ${quoted(link)}`);
  if (link !== '' && baud !== '') lines.push(`  baud: ${/^\d+(?:-\w+)?$/.test(baud) ? baud : quoted(baud)}`);
  if (link === '' && identity !== '') lines.push(`  match: { identity: ${JSON.stringify(identity)} }`);
  else if (link === '' && from !== '') lines.push(`  match: { from: [${JSON.stringify(from)}] }`);
  if (messages !== '') lines.push(`  messages: ${quoted(messages)}`);
  if (messages !== '' && identity === '') lines.push('  session: none');
  return `${lines.join('\n')}\n`;
}

/** An id that no device has yet. */
export function freeId(wanted: string, taken: ReadonlySet<string>): string {
  const base =
    wanted
      .replace(/[^A-Za-z0-9._-]+/g, '-')
      .replace(/^-+|-+$/g, '')
      .slice(0, 48) || 'device';
  for (let number = 1; ; number++) {
    const id = `${base}-${number}`;
    if (!taken.has(id)) return id;
  }
}
