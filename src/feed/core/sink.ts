/** Above this many unsent bytes nothing more is written to a subscriber, until they are at most `LOW_WATER`. */
export const HIGH_WATER = 64 * 1024;
export const LOW_WATER = 16 * 1024;

/** The way out to one subscriber; everything for it goes through here. */
export interface Sink {
  /** Bytes accepted and not sent yet. */
  readonly unsent: number;
  /** Returns what is unsent then. */
  write(bytes: Uint8Array): number;
}
