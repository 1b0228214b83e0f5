import type { WireTap } from './wire.ts';

/** Looks on at a link that has no name at first. */
export interface DialInTap extends WireTap {
  named(device: string): void;
  /** It is another's from this frame of the peer on, who will be named. */
  handedOn(address: string, frame: Uint8Array, why: string): void;
}
