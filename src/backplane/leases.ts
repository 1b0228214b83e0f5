import type { Backplane, Lease } from './core/backplane.ts';

/** Units that are asked for at once. */
const AT_ONCE = 2_000;

export interface LeasesOptions {
  readonly backplane: Backplane;
  /** Everything that this instance could own. */
  units(): Iterable<string>;
  /** Something of it is still to be published. */
  waits(unit: string): boolean;
  /** Another life may have had it, and may not have published all of its events; is called before `gained`. */
  inherited(unit: string): void;
  gained(unit: string): void;
  lost(unit: string): void;
}

/**
 * Which units this instance owns.
 *
 *     free ──leased──▶ owned ──another life has it──▶ foreign ──it is free again──▶ owned
 *      └──the server is away, and never said whose it is──▶ provisional ──it says so──▶ owned, foreign
 */
export class Leases {
  readonly #options: LeasesOptions;
  readonly #tokens = new Map<string, number>();
  readonly #provisional = new Set<string>();
  /** What another life had, when the server said so last. */
  readonly #foreign = new Map<string, string>();
  /** Given to another instance just now, with the number of refreshes for which it has the first chance. */
  readonly #given = new Map<string, number>();
  /** The server may have forgotten former owners. */
  #forgotten = false;
  #asking: Promise<void> = Promise.resolve();

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#tokens.size + this.#provisional.size;
  }

  owns(unit: string): boolean {
    return this.#tokens.has(unit) || this.#provisional.has(unit);
  }

  token(unit: string): number | undefined {
    return this.#tokens.get(unit);
  }

  /** Asks for everything that is not owned; `all`: for what is owned too, since the server may have lost it. */
  async refresh(all: boolean): Promise<void> {
    const wanted: string[] = [];
    const present = new Set<string>();
    const given = new Map(this.#given);
    for (const [unit, left] of given) {
      if (left > 0) this.#given.set(unit, left - 1);
      else this.#given.delete(unit);
    }
    for (const unit of this.#options.units()) {
      present.add(unit);
      if (!given.has(unit) && (all || !this.#tokens.has(unit))) wanted.push(unit);
    }
    // Taken out of the configuration here: another instance may have it, once its end is published.
    const { waits } = this.#options;
    await this.giveBack([...this.#tokens.keys()].filter((unit) => !present.has(unit) && !waits(unit)));
    await this.ask(wanted);
  }

  /** The server may have lost what it had: that it knows of no former owner says nothing from now on. */
  forgotten(): void {
    this.#forgotten = true;
  }

  /** One question at a time: an answer is never older than one that was applied. */
  ask(units: readonly string[]): Promise<void> {
    const asked = this.#asking.catch(() => undefined).then(() => this.#ask(units));
    this.#asking = asked;
    return asked;
  }

  /** The server is away: what it never said anything of belongs to this instance until it does. */
  assume(units: Iterable<string>, despite = false): void {
    for (const unit of units) {
      if (this.owns(unit) || (!despite && this.#foreign.has(unit))) continue;
      this.#provisional.add(unit);
      if (this.#foreign.has(unit)) this.#options.inherited(unit);
      this.#options.gained(unit);
    }
  }

  /** The life that had a unit when that was asked last. */
  ownerOf(unit: string): string | undefined {
    return this.#foreign.get(unit);
  }

  /** Gives a unit to another instance. */
  async give(unit: string): Promise<void> {
    const token = this.#tokens.get(unit);
    this.#lose(unit);
    this.#given.set(unit, 2);
    if (token !== undefined) await this.#options.backplane.release([{ unit, token, life: '' }]);
  }

  /** Gives back what is of no use here any more. */
  async giveBack(units: readonly string[]): Promise<void> {
    const leases = units.flatMap((unit): Lease[] => {
      const token = this.#tokens.get(unit);
      this.#tokens.delete(unit);
      this.#provisional.delete(unit);
      return token === undefined ? [] : [{ unit, token, life: '' }];
    });
    if (leases.length > 0) await this.#options.backplane.release(leases);
  }

  owned(): readonly string[] {
    return [...this.#tokens.keys()];
  }

  /** Another process has the name of this instance: nothing is owned any more. */
  loseAll(): void {
    for (const unit of [...this.#tokens.keys(), ...this.#provisional]) this.#lose(unit);
  }

  async #ask(units: readonly string[]): Promise<void> {
    for (let at = 0; at < units.length; at += AT_ONCE) {
      const leases = await this.#options.backplane.lease(units.slice(at, at + AT_ONCE));
      for (const lease of leases) this.#apply(lease);
    }
  }

  #apply({ unit, token, life, first }: Lease): void {
    if (token === 0) {
      // The server does not know this life now, and says nothing of the unit.
      if (life === '') return;
      this.#foreign.set(unit, life);
      return this.#lose(unit);
    }
    this.#foreign.delete(unit);
    const had = this.owns(unit);
    const isNew = !this.#tokens.has(unit);
    this.#provisional.delete(unit);
    this.#tokens.set(unit, token);
    if (isNew && (this.#forgotten || first !== true)) this.#options.inherited(unit);
    if (!had) this.#options.gained(unit);
  }

  #lose(unit: string): void {
    const had = this.owns(unit);
    this.#tokens.delete(unit);
    this.#provisional.delete(unit);
    if (had) this.#options.lost(unit);
  }
}
