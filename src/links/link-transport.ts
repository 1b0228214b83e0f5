import type { Parsed } from './address.ts';
import type { Link } from './link.ts';
import type { NameResolver } from './names/name-resolver.ts';
import type { SerialSettings } from './serial-address.ts';

/** What a device says of the links that are dialled to it. */
export interface DialOptions {
  /** Stream sockets only: silence after which `idle` is called, in ms, for a serial line behind a serial server. Absent: never. */
  readonly idleAfterMs?: number | undefined;
  /** Serial only: silence after which `idle` is called, in ms. Absent: by the formula for the line's speed. */
  readonly gapMs?: number | undefined;
  /** Serial only: whose link it is, named to others that want the port. */
  readonly device?: string | undefined;
  /** Replay only: frames end with silence. Absent: they do not. */
  readonly silence?: { readonly gapMs?: number | undefined } | undefined;
  /** Resolves the host where it is a name; absent: the resolver of the process. */
  readonly names?: NameResolver | undefined;
}

/** One way to carry bytes: its addresses, and its links. */
export interface LinkTransport<A> {
  /** Reads what stands behind the scheme. What the text says of a serial line wins over `settings`. */
  parse(rest: string, settings: SerialSettings): Parsed<A>;
  /** Where an address leads, for people and state documents. */
  label(address: A): string;
  /** A fresh, unopened link. */
  dial(address: A, options: DialOptions): Link;
}
