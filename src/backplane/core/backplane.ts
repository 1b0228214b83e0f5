/*
 * The port between instances and what they share. It holds documents (a hash for each shard), what changed (a bounded
 * log for each shard), who owns what (leases with fencing tokens), and a mailbox for each life of an instance.
 *
 * A *unit* is what one instance owns at a time: a device, or the line of several. A *life* is one run of one instance.
 * Every call rejects with `BackplaneError` where the server does not answer, or not in time: what it asked for may have
 * been done.
 */

/** The server is away, or refused; `refused`: it answered, and will answer so again until something is fixed. */
export class BackplaneError extends Error {
  readonly refused: boolean;

  constructor(message: string, refused = false, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BackplaneError';
    this.refused = refused;
  }
}

/** Where a shard stands: another epoch says that something of it may be lost. */
export interface ShardState {
  readonly epoch: string;
  readonly rev: number;
}

/** What a renewal found. */
export interface Renewal {
  /** Another process has the name of this instance by now: this life is over. */
  readonly superseded: boolean;
  readonly shards: readonly ShardState[];
  /** Every life that is not over. */
  readonly lives: readonly string[];
  /** The clock of the server, in ms. */
  readonly serverMs: number;
}

export interface Renewing {
  /** The first of this life: it takes the name of the instance from a former one. */
  readonly begins: boolean;
  readonly leaseMs: number;
  /** What this instance knows of each shard, by number; of an unknown one it is undefined. */
  readonly known: ReadonlyArray<ShardState | undefined>;
}

/** Names its owner, and is higher than that of every former owner. */
export interface Lease {
  readonly unit: string;
  /** 0: another life has it. */
  readonly token: number;
  readonly life: string;
  /** This call took it, and the server knows of no owner before. */
  readonly first?: boolean | undefined;
}

/** A document as it stands in the hash of its shard. */
export interface SharedDocument {
  readonly topic: string;
  /** JSON of a `StoredVersion`. */
  readonly text: string;
}

/** What one owner publishes of one unit, in order; either all of it is published, or nothing. */
export interface Part {
  readonly shard: number;
  /** Empty: it belongs to the instance itself, and to no device. */
  readonly unit: string;
  readonly token: number;
  /** JSON: what readers of the log get. */
  readonly changes: string;
  readonly documents: readonly SharedDocument[];
  readonly removed: readonly string[];
}

/** One entry of the log of a shard. */
export interface Entry {
  /** One higher than that of the entry before. */
  readonly rev: number;
  readonly epoch: string;
  readonly unit: string;
  readonly life: string;
  readonly changes: string;
}

/** What another instance, or this one, wrote into the mailbox of this life. */
export interface Letter {
  readonly id: string;
  readonly text: string;
}

/** Entries of one shard that are read at once, at most. */
export const READ_COUNT = 256;

/** Up to where a reader has read. */
export interface ReadFrom {
  /** By shard. */
  readonly revs: ReadonlyMap<number, number>;
  /** The id of the last letter; empty: from the first one on. */
  readonly letter: string;
}

export interface ReadResult {
  readonly entries: ReadonlyMap<number, readonly Entry[]>;
  readonly letters: readonly Letter[];
}

export interface Backplane {
  /** Opens the connection, and calls on each that comes and goes; the first call comes later than this returns. */
  start(watch: { up(): void; down(why: BackplaneError): void }): Promise<void>;
  /** To be called right after `up`, and then at least three times in each lease. */
  renew(renewing: Renewing): Promise<Renewal>;
  /** One lease for each unit, in their order. */
  lease(units: readonly string[]): Promise<readonly Lease[]>;
  /** Gives units back; one whose token is not the present one is left alone. */
  release(leases: readonly Lease[]): Promise<void>;
  /** Whether each part was published; false where another life has the unit. */
  publish(parts: readonly Part[]): Promise<readonly boolean[]>;
  /** The documents of a shard in pieces, and where it stood before the first of them was read. */
  snapshot(shard: number, each: (documents: readonly SharedDocument[]) => void): Promise<ShardState>;
  /** What came after; waits up to `waitMs` where there is nothing, and not at all where that is 0. */
  readSince(from: ReadFrom, waitMs: number): Promise<ReadResult>;
  /** The life that has a unit now. */
  ownerOf(unit: string): Promise<string | undefined>;
  /**
   * Writes into the mailbox of a life; false where that is over, or where `notAfterMs` of the clock of the server has
   * passed by now.
   */
  call(life: string, text: string, notAfterMs: number): Promise<boolean>;
  /** Keeps for a while what a `rev` of a feed stands for; a lower one than the last of its name is left out. */
  keepMark(name: string, rev: number, text: string): Promise<void>;
  /** The last mark of a name that is not above a `rev`. */
  markAt(name: string, rev: number): Promise<string | undefined>;
  /** Ends the life, with everything that it has. */
  end(): Promise<void>;
  /** Closes the connection at once; what is under way rejects. */
  close(): void;
  /** The connection is of no use: it is closed, and opened again. */
  reconnect(): void;
}

/** What of a topic stands in the hash: who said it, as the how many-th document of this topic. */
export interface StoredVersion {
  readonly l: string;
  readonly s: number;
  readonly d: Readonly<Record<string, unknown>>;
}
