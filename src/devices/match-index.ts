import type { MatchConfig } from '../config/index.ts';
import { type AddressBlock, type Identity, identityText, parseBlock } from '../contract/index.ts';

/** What the peer of a link claims to be, where it registered, and where it comes from. */
interface Peer {
  readonly identity: Identity;
  readonly host: string;
}

interface Entry<T> {
  readonly match: MatchConfig;
  readonly blocks: readonly AddressBlock[] | undefined;
  readonly value: T;
  /** Smaller is earlier in the configuration. */
  readonly rank: number;
}

/**
 * What `match` names, found by its exact values: the first in the order in which they were added. A look-up costs the
 * same however many there are; it grows with the number of different lengths of networks only.
 */
export class MatchIndex<T> {
  #entries: Entry<T>[] = [];
  /** By their most selective value: what is named by its register. */
  readonly #byName = new Map<string, Entry<T>[]>();
  /** Those without an identity and an IMEI, by the networks that they come from. */
  readonly #byNetwork = new Networks<T>();
  /** They name no register: the address decides. */
  readonly #bare = new Networks<T>();
  /** Named by a register, from these networks only. */
  readonly #named = new Networks<T>();
  /** Without a network, the first that names a register, and all that name nothing. */
  #firstNamed: Entry<T> | undefined;
  readonly #anything: Entry<T>[] = [];

  add(match: MatchConfig, value: T): void {
    const blocks = match.from?.flatMap((text) => parseBlock(text) ?? []);
    const entry: Entry<T> = { match, blocks, value, rank: this.#entries.length };
    this.#entries.push(entry);
    const named = namesRegister(match);
    if (blocks !== undefined) (named ? this.#named : this.#bare).add(entry, blocks);
    else if (named) this.#firstNamed ??= entry;
    else this.#anything.push(entry);
    const name = selectiveName(entry);
    if (name === undefined) this.#byNetwork.add(entry, blocks ?? []);
    else {
      const before = this.#byName.get(name);
      if (before === undefined) this.#byName.set(name, [entry]);
      else before.push(entry);
    }
  }

  clear(): void {
    this.#entries = [];
    this.#byName.clear();
    this.#firstNamed = undefined;
    this.#anything.length = 0;
    for (const each of [this.#byNetwork, this.#bare, this.#named]) each.clear();
  }

  *values(): Generator<T> {
    for (const { value } of this.#entries) yield value;
  }

  /** The first that matches a register from this address, and fits. */
  find(peer: Peer, fits: (value: T) => boolean): T | undefined {
    const host = bytesOf(peer.host);
    const found = new First<T>();
    for (const name of namesOf(peer.identity)) found.see(this.#byName.get(name) ?? [], right);
    this.#byNetwork.see(found, host, right);
    found.see(this.#anything, right);
    return found.entry?.value;

    function right({ match, blocks, value }: Entry<T>): boolean {
      return fits(value) && agrees(match, peer.identity) && (blocks === undefined || isIn(host, blocks));
    }
  }

  /** The first that names no register and comes from this address by its own words. */
  findBare(host: string): T | undefined {
    const found = new First<T>();
    this.#bare.see(found, bytesOf(host), always);
    return found.entry?.value;
  }

  /**
   * The first that names no register and is right for this address. Until the peer `waited`, one that stands before it
   * and may yet be named by its register has precedence: then it is undefined.
   */
  findByAddress(host: string, waited: boolean): T | undefined {
    const bytes = bytesOf(host);
    const bare = new First<T>();
    this.#bare.see(bare, bytes, always);
    bare.see(this.#anything, always);
    if (waited || bare.entry === undefined) return bare.entry?.value;
    const named = new First<T>();
    this.#named.see(named, bytes, always);
    if (this.#firstNamed !== undefined) named.see([this.#firstNamed], always);
    const rank = named.entry?.rank ?? Number.POSITIVE_INFINITY;
    return rank < bare.entry.rank ? undefined : bare.entry.value;
  }
}

const always = (): boolean => true;

/** The first of several lists, each in its order. */
class First<T> {
  entry: Entry<T> | undefined;

  see(entries: readonly Entry<T>[], right: (entry: Entry<T>) => boolean): void {
    for (const each of entries) {
      if (this.entry !== undefined && each.rank >= this.entry.rank) return;
      if (!right(each)) continue;
      this.entry = each;
      return;
    }
  }
}

/** Entries by the networks that they come from. */
class Networks<T> {
  /** By the length of the addresses and that of the prefix, then by the prefix. */
  readonly #lengths = new Map<
    string,
    { readonly block: AddressBlock; readonly of: Map<string, Entry<T>[]> }
  >();

  add(entry: Entry<T>, blocks: readonly AddressBlock[]): void {
    for (const block of blocks) {
      const length = `${block.bytes.length}/${block.prefix}`;
      const known = this.#lengths.get(length) ?? { block, of: new Map<string, Entry<T>[]>() };
      this.#lengths.set(length, known);
      const key = prefixOf(block.bytes, block.prefix);
      const before = known.of.get(key);
      if (before === undefined) known.of.set(key, [entry]);
      else if (before.at(-1) !== entry) before.push(entry);
    }
  }

  clear(): void {
    this.#lengths.clear();
  }

  see(found: First<T>, host: readonly number[] | undefined, right: (entry: Entry<T>) => boolean): void {
    if (host === undefined) return;
    for (const { block, of } of this.#lengths.values()) {
      if (block.bytes.length !== host.length) continue;
      found.see(of.get(prefixOf(host, block.prefix)) ?? [], right);
    }
  }
}

const namesRegister = ({ imei, appid, identity }: MatchConfig): boolean =>
  imei !== undefined || appid !== undefined || identity !== undefined;

/** The name under which an entry is found; undefined where its network is more selective. */
function selectiveName({ match: { identity, imei, appid }, blocks }: Entry<unknown>): string | undefined {
  if (identity !== undefined) return `identity ${identity}`;
  if (imei !== undefined) return `imei ${imei}`;
  return appid === undefined || blocks !== undefined ? undefined : `appid ${appid.toLowerCase()}`;
}

function namesOf(identity: Identity): string[] {
  const { imei, appid } = identity;
  return [
    `identity ${identityText(identity)}`,
    ...(imei === undefined ? [] : [`imei ${imei}`]),
    ...(appid === undefined ? [] : [`appid ${appid.toLowerCase()}`]),
  ];
}

function agrees(match: MatchConfig, identity: Identity): boolean {
  if (match.identity !== undefined && match.identity !== identityText(identity)) return false;
  if (match.imei !== undefined && match.imei !== identity.imei) return false;
  return match.appid === undefined || match.appid.toLowerCase() === identity.appid?.toLowerCase();
}

/** An IP address; an IPv4 address in IPv6 is that of IPv4. */
function bytesOf(host: string): readonly number[] | undefined {
  // The scope of a link-local address says which interface, not which peer.
  const [unscoped = ''] = host.split('%');
  return unscoped.includes('/') ? undefined : parseBlock(unscoped)?.bytes;
}

const isIn = (host: readonly number[] | undefined, blocks: readonly AddressBlock[]): boolean =>
  blocks.some(
    ({ bytes, prefix }) =>
      host?.length === bytes.length && prefixOf(host, prefix) === prefixOf(bytes, prefix),
  );

function prefixOf(bytes: readonly number[], prefix: number): string {
  const whole = bytes.slice(0, prefix >> 3);
  const rest = prefix & 7;
  if (rest > 0) whole.push((bytes[prefix >> 3] ?? 0) & (0xff << (8 - rest)));
  return whole.join('.');
}
