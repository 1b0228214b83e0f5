import type { WireTap } from './wire.ts';

/** Looks on at a link that has no name at first. */
export interface DialInTap extends WireTap {
  named(device: string): void;
  /** It is another's, who will be named, from these bytes on, which are the end of what was received last. */
  handedOn(address: string, bytes: Uint8Array, why: string): void;
}

/** Gives the taps of what is recorded: of a dialled device by its name, of a link that has none yet. */
export interface DeviceTaps {
  tap(device: string): WireTap | undefined;
  tapDialIn(): DialInTap | undefined;
  /** The device is gone for good. */
  retire(device: string): void;
}
