/** One connection of a device as its trace names it. */
export class RecordedConnection {
  readonly #nextName: () => string;
  #name = '';
  /** What stands between the time and the bytes on its lines. */
  in: Uint8Array = new Uint8Array();
  out: Uint8Array = new Uint8Array();
  /** What opened it, for the head of the next trace. */
  address = '';

  /** `nextName` returns a name that no other connection had before. */
  constructor(nextName: () => string) {
    this.#nextName = nextName;
    this.rename();
  }

  get name(): string {
    return this.#name;
  }

  /** What follows does not join what was recorded before: a reader must not put the bytes of the two together. */
  rename(): void {
    this.#name = this.#nextName();
    this.in = Buffer.from(` ${this.#name} < `);
    this.out = Buffer.from(` ${this.#name} > `);
  }
}
