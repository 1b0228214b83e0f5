/** A link that dialled in, as another instance learns of it. */
export interface RemoteClaim {
  readonly host: string;
  readonly address: string;
}

/** Which devices belong to this instance, where several share one feed. */
export interface Ownership {
  /** Whether the device, or the line `bus <id>`, may be used from here now. */
  owns(unit: string): boolean;
  /**
   * A device arrives here: undefined where it may be attached at once, else a promise of why it may not be, or of
   * undefined.
   */
  claim(unit: string, claim: RemoteClaim): Promise<string | undefined> | undefined;
}
