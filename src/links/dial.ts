import type { LinkAddress, ListenAddress } from './address.ts';
import type { Link, Listener } from './link.ts';
import type { NameResolver } from './names/name-resolver.ts';
import { ReplayLink, type ReplayLinkOptions } from './replay.ts';
import { SerialLink } from './serial.ts';
import { TcpLink } from './tcp.ts';
import { TcpListener } from './tcp-listen.ts';

export interface DialOptions {
  /** TCP only: silence after which `idle` is called, in ms, for a serial line behind a serial server. Absent: never. */
  readonly idleAfterMs?: number | undefined;
  /** Serial only: silence after which `idle` is called, in ms. Absent: by the formula for the line's speed. */
  readonly gapMs?: number | undefined;
  /** Serial only: whose link it is, in the words for whoever wants the port beside it. */
  readonly device?: string | undefined;
  /** Replay only: frames end with silence. Absent: they do not. */
  readonly silence?: ReplayLinkOptions['silence'];
  /** TCP only: resolves the host where it is a name; absent: the resolver of the process. */
  readonly names?: NameResolver | undefined;
}

/** A fresh, unopened link to a device. */
export function dial(address: LinkAddress, options: DialOptions = {}): Link {
  switch (address.scheme) {
    case 'tcp':
      return TcpLink.dial(address, options);
    case 'serial':
      return new SerialLink(address, { gapMs: options.gapMs, device: options.device });
    case 'replay':
      return new ReplayLink(address, { silence: options.silence });
  }
}

/** A fresh, unstarted listener. */
export function listen(address: ListenAddress, names?: NameResolver): Listener {
  switch (address.scheme) {
    case 'tcp-listen':
      return new TcpListener(address, names);
  }
}
