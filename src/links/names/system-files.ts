import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';

/** What `resolv.conf` says of names that are not complete. */
export interface SearchList {
  readonly domains: readonly string[];
  /** A name with at least so many dots is first asked for as it is. */
  readonly ndots: number;
}

/** Where the system looks names up, file by file. */
export const RESOLV_CONF = '/etc/resolv.conf';
export const NSSWITCH_CONF = '/etc/nsswitch.conf';

const MOST_NDOTS = 15;

/** The last `search` or `domain` line counts, as in the C library. */
export function parseResolvConf(text: string): SearchList {
  let domains: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split(/\r?\n/)) {
    const [key, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (key === 'search') domains = values;
    else if (key === 'domain') domains = values.slice(0, 1);
    else if (key === 'options') ndots = ndotsOf(values) ?? ndots;
  }
  return { domains: domains.map((domain) => domain.replace(/\.$/, '')).filter((each) => each !== ''), ndots };
}

function ndotsOf(options: readonly string[]): number | undefined {
  for (const option of options) {
    const digits = /^ndots:(\d+)$/.exec(option)?.[1];
    if (digits !== undefined) return Math.min(Number(digits), MOST_NDOTS);
  }
  return undefined;
}

/** The complete names to ask for, in order. A dot at the end of a name says that it is complete. */
export function candidates(name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const searched = domains.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...searched] : [...searched, name];
}

/** The sources of host names in the text of an `nsswitch.conf`, without what is to be done after each. */
export function parseNsswitch(text: string): readonly string[] {
  const line = /^\s*hosts:([^#\n]*)/m.exec(text)?.[1] ?? '';
  return line
    .replace(/\[[^\]]*\]/g, ' ')
    .split(/\s+/)
    .filter((source) => source !== '');
}

export const isMulticastName = (name: string): boolean => /\.local\.?$/i.test(name);

/** Whether the system may know a name that DNS does not: by mDNS, LDAP, NetBIOS and what else is named there. */
export function systemMayKnow(name: string, sources: readonly string[]): boolean {
  const single = !name.replace(/\.$/, '').includes('.');
  return sources.some((source) => {
    // Both are looked at without the system. systemd-resolved answers as a DNS server, for all that it knows.
    if (source === 'files' || source === 'dns' || source === 'resolve') return false;
    if (source.startsWith('mdns')) return isMulticastName(name);
    // These two know names of this machine and of its containers, which have no dots.
    if (source === 'myhostname' || source === 'mymachines') return single;
    return true;
  });
}

/** The text of a file; empty where it cannot be read: a system without it has nothing to say there. */
export async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

/** The path is fixed on every system; Windows keeps the file below its own folder, which is nearly always this one. */
export const HOSTS_FILE =
  process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';

/** The addresses of every name in the text of a hosts file, in the order of its lines. */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const [address = '', ...given] = line.replace(/#.*/, '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const name of given) {
      const key = name.toLowerCase();
      const known = names.get(key);
      if (known === undefined) names.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return names;
}

/** A hosts file, read again when it has changed. */
export class HostsFile {
  readonly #path: string;
  #stamp = '';
  #names: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(path: string) {
    this.#path = path;
  }

  /** The addresses of a name; empty where the file does not have it, or cannot be read. */
  async addressesOf(name: string): Promise<readonly string[]> {
    try {
      const { mtimeMs, ctimeMs, size, ino } = await stat(this.#path);
      const stamp = [mtimeMs, ctimeMs, size, ino].join(' ');
      if (stamp !== this.#stamp) {
        this.#names = parseHosts(await readFile(this.#path, 'utf8'));
        this.#stamp = stamp;
      }
    } catch {
      // A system without the file has no names in it; DNS is asked.
      this.#names = new Map();
      this.#stamp = '';
    }
    return this.#names.get(name.toLowerCase()) ?? [];
  }
}
