import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';

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
