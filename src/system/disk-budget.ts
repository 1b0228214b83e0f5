/** A file takes whole blocks of the disk; most file systems have blocks of this size. */
const BLOCK_BYTES = 4_096;

/** What a file of so many bytes takes of the disk: whole blocks, and one for an empty file, which needs an entry too. */
export function blocksOf(bytes: number): number {
  return Math.max(Math.ceil(bytes / BLOCK_BYTES), 1) * BLOCK_BYTES;
}

/** Room on the disk: bytes in whole blocks, and files. */
export interface DiskUse {
  readonly bytes: number;
  readonly files: number;
}

export interface DiskLimits {
  readonly budgetBytes: number;
  readonly maxFiles: number;
  /** What one device may take of both, above 0 and at most 1; 1 where it is left out. */
  readonly deviceShare?: number | undefined;
}

/** Why something does not fit: the device itself, or all of them, hold too much that cannot be removed. */
export type NoRoom = 'device' | 'all';

interface Removable<Item> {
  readonly item: Item;
  readonly use: DiskUse;
  /** Smaller is older. */
  readonly order: number;
}

interface User<Item> {
  bytes: number;
  files: number;
  /** Of both, what cannot be removed. */
  heldBytes: number;
  heldFiles: number;
  /** The oldest first. */
  readonly removable: Map<Item, Removable<Item>>;
}

/**
 * What each device takes of a folder, counted as it changes. Where room is needed, the oldest file of the device that takes
 * the most goes first, so that no device can push out the files of those that take less. It touches no file itself.
 */
export class DiskBudget<Item> {
  #limits: DiskLimits;
  readonly #users = new Map<string, User<Item>>();
  #bytes = 0;
  #files = 0;
  #heldBytes = 0;
  #heldFiles = 0;
  #order = 0;

  constructor(limits: DiskLimits) {
    this.#limits = limits;
  }

  /** Other limits from now on; `makeRoom` says what has to go. */
  limit(limits: DiskLimits): void {
    this.#limits = limits;
  }

  /** Of all devices. */
  get use(): DiskUse {
    return { bytes: this.#bytes, files: this.#files };
  }

  useOf(device: string): DiskUse {
    const { bytes = 0, files = 0 } = this.#users.get(device) ?? {};
    return { bytes, files };
  }

  /** Counts a file that may be removed; those that are added first are the older ones. */
  add(device: string, item: Item, use: DiskUse): void {
    const user = this.#user(device);
    user.removable.set(item, { item, use, order: this.#order++ });
    this.#count(user, use, 1);
  }

  remove(device: string, item: Item): void {
    const user = this.#users.get(device);
    const found = user?.removable.get(item);
    if (user === undefined || found === undefined) return;
    user.removable.delete(item);
    this.#count(user, found.use, -1);
    this.#forget(device, user);
  }

  /** Counts what cannot be removed now. */
  hold(device: string, use: DiskUse): void {
    this.#countHeld(this.#user(device), use, 1);
  }

  release(device: string, use: DiskUse): void {
    const user = this.#users.get(device);
    if (user === undefined) return;
    this.#countHeld(user, use, -1);
    this.#forget(device, user);
  }

  /** Why it does not fit, whatever is removed; undefined where it does. */
  refuses(device: string, { bytes, files }: DiskUse): NoRoom | undefined {
    const { budgetBytes, maxFiles, deviceShare = 1 } = this.#limits;
    const { heldBytes = 0, heldFiles = 0 } = this.#users.get(device) ?? {};
    if (heldBytes + bytes > budgetBytes * deviceShare || heldFiles + files > maxFiles * deviceShare)
      return 'device';
    if (this.#heldBytes + bytes > budgetBytes || this.#heldFiles + files > maxFiles) return 'all';
    return undefined;
  }

  /**
   * Counts no longer what must be removed so that so much more of a device fits, and returns it. It may be used for
   * what `refuses` does not refuse.
   */
  makeRoom(device: string, added: DiskUse): readonly Item[] {
    const { budgetBytes, maxFiles, deviceShare = 1 } = this.#limits;
    const removed: Item[] = [];
    const over = (use: DiskUse, share: number): boolean =>
      use.bytes + added.bytes > budgetBytes * share || use.files + added.files > maxFiles * share;
    while (over(this.useOf(device), deviceShare)) {
      if (!this.#removeOldest(device, removed)) break;
    }
    while (over(this.use, 1)) {
      const largest = this.#largest(device, added);
      if (largest === undefined || !this.#removeOldest(largest, removed)) break;
    }
    return removed;
  }

  /** Devices that hold more than this one would with so much more, the largest first. */
  largerHolders(device: string, added: DiskUse): readonly string[] {
    const { heldBytes = 0, heldFiles = 0 } = this.#users.get(device) ?? {};
    const own = this.#shareOf(heldBytes + added.bytes, heldFiles + added.files);
    return [...this.#users]
      .map(([name, user]) => ({ name, share: this.#shareOf(user.heldBytes, user.heldFiles) }))
      .filter(({ name, share }) => name !== device && share > own)
      .sort((a, b) => b.share - a.share)
      .map(({ name }) => name);
  }

  /** The device that takes the most and has something to be removed. */
  #largest(device: string, added: DiskUse): string | undefined {
    let largest: { name: string; share: number; order: number } | undefined;
    for (const [name, user] of this.#users) {
      const [oldest] = user.removable.values();
      if (oldest === undefined) continue;
      const more = name === device ? added : { bytes: 0, files: 0 };
      const share = this.#shareOf(user.bytes + more.bytes, user.files + more.files);
      const { order } = oldest;
      if (largest !== undefined && share < largest.share) continue;
      if (largest !== undefined && share === largest.share && order > largest.order) continue;
      largest = { name, share, order };
    }
    return largest?.name;
  }

  #shareOf(bytes: number, files: number): number {
    return Math.max(bytes / this.#limits.budgetBytes, files / this.#limits.maxFiles);
  }

  #removeOldest(device: string, removed: Item[]): boolean {
    const [oldest] = this.#users.get(device)?.removable.values() ?? [];
    if (oldest === undefined) return false;
    this.remove(device, oldest.item);
    removed.push(oldest.item);
    return true;
  }

  #user(device: string): User<Item> {
    const known = this.#users.get(device);
    if (known !== undefined) return known;
    const user: User<Item> = { bytes: 0, files: 0, heldBytes: 0, heldFiles: 0, removable: new Map() };
    this.#users.set(device, user);
    return user;
  }

  #count(user: User<Item>, { bytes, files }: DiskUse, sign: 1 | -1): void {
    user.bytes += sign * bytes;
    user.files += sign * files;
    this.#bytes += sign * bytes;
    this.#files += sign * files;
  }

  #countHeld(user: User<Item>, use: DiskUse, sign: 1 | -1): void {
    user.heldBytes += sign * use.bytes;
    user.heldFiles += sign * use.files;
    this.#heldBytes += sign * use.bytes;
    this.#heldFiles += sign * use.files;
    this.#count(user, use, sign);
  }

  #forget(device: string, user: User<Item>): void {
    if (user.files === 0 && user.bytes === 0) this.#users.delete(device);
  }
}
