/** A link that dialled in, and of which no device was found. */
export interface UnknownLink {
  readonly address: string;
  /** Epoch ms: when it opened, and when it ended; absent while it is open. */
  readonly since: number;
  readonly ended?: number | undefined;
  /** Why it ended, for people. */
  readonly detail?: string | undefined;
  /** What it sent first. */
  readonly bytes: Uint8Array;
}

/** Bytes of a link that are kept: a protocol shows in its first frames. */
const MOST_BYTES = 512;
const MOST_LINKS = 32;

/** The first bytes of one link. */
export class FirstBytes {
  #bytes = new Uint8Array(0);

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    const room = MOST_BYTES - this.#bytes.length;
    if (room <= 0) return;
    const all = new Uint8Array(this.#bytes.length + Math.min(room, chunk.length));
    all.set(this.#bytes);
    all.set(chunk.subarray(0, room), this.#bytes.length);
    this.#bytes = all;
  }
}

/** The last links that ended without a name. */
export class UnknownLinks {
  #links: UnknownLink[] = [];

  get all(): readonly UnknownLink[] {
    return this.#links;
  }

  /** One that sent nothing says nothing; of an address that tries again and again, the last try is kept. */
  add(link: UnknownLink): void {
    if (link.bytes.length === 0) return;
    const host = hostOf(link.address);
    this.#links = [...this.#links.filter((each) => hostOf(each.address) !== host), link].slice(-MOST_LINKS);
  }
}

const hostOf = (address: string): string => address.replace(/:\d+$/, '');
