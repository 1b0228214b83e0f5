const INITIAL_BYTES = 256;
const KEPT_BYTES = 4096;

/** Memory for a payload that has to be rewritten; it grows with what is there, never with what is claimed. */
export class Scratch {
  bytes = new Uint8Array(INITIAL_BYTES);

  /** Room for at least so many bytes; what it held is lost. */
  reserve(count: number): Uint8Array {
    if (count > this.bytes.length) {
      let capacity = this.bytes.length;
      while (capacity < count) capacity *= 2;
      this.bytes = new Uint8Array(capacity);
    }
    return this.bytes;
  }

  /** Gives back what a long frame made it take. */
  release(): void {
    if (this.bytes.length > KEPT_BYTES) this.bytes = new Uint8Array(INITIAL_BYTES);
  }
}
