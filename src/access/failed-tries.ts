/** Wrong tokens of one address that are looked at, at once and per minute. */
const TRIES = 10;
const PER_MS = TRIES / 60_000;
/** More addresses are not remembered; the one that was wrong longest ago goes first. */
const MAX_ADDRESSES = 10_000;

/** Wrong tokens by address: a few a minute are looked at, and no address suffers for another. */
export class FailedTries {
  readonly #spent = new Map<string, { readonly tries: number; readonly atMs: number }>();

  /** Seconds until a token of this address is looked at again; undefined where it is now. */
  waitS(address: string, monoMs: number): number | undefined {
    const spent = this.#now(address, monoMs);
    return spent <= TRIES - 1 ? undefined : Math.max(1, Math.ceil((spent - (TRIES - 1)) / PER_MS / 1_000));
  }

  /** A token of this address was wrong. */
  add(address: string, monoMs: number): void {
    const tries = this.#now(address, monoMs) + 1;
    this.#spent.delete(address);
    this.#spent.set(address, { tries, atMs: monoMs });
    const [oldest] = this.#spent.keys();
    if (oldest !== undefined && this.#spent.size > MAX_ADDRESSES) this.#spent.delete(oldest);
  }

  #now(address: string, monoMs: number): number {
    const spent = this.#spent.get(address);
    return spent === undefined ? 0 : Math.max(0, spent.tries - (monoMs - spent.atMs) * PER_MS);
  }
}
