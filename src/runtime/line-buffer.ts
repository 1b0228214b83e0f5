const FIRST_BYTES = 4_096;
/** Beyond this a buffer that was grown is given back once it is empty. */
const KEPT_BYTES = 256 * 1024;

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const ZERO = 0x30;
const POINT = 0x2e;

/**
 * Text that waits to be written, as bytes. Lines of frames are put together digit by digit, so that a busy device
 * leaves no strings for the garbage collector.
 */
export class LineBuffer {
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  /** The buffer that is being written. */
  #full: Buffer | undefined;
  /** The one that was written before. */
  #spare: Buffer | undefined;

  get length(): number {
    return this.#length;
  }

  text(text: string): void {
    this.#room(text.length * 3);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** Seconds with six decimals. */
  time(us: number): void {
    this.#room(24);
    const seconds = Math.floor(us / 1e6);
    let rest = us - seconds * 1e6;
    let digits = 1;
    for (let bound = 10; seconds >= bound; bound *= 10) digits++;
    let left = seconds;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const tens = Math.floor(left / 10);
      this.#bytes[at] = ZERO + (left - tens * 10);
      left = tens;
    }
    this.#length += digits;
    this.#bytes[this.#length] = POINT;
    for (let at = this.#length + 6; at > this.#length; at--) {
      const tens = (rest / 10) | 0;
      this.#bytes[at] = ZERO + (rest - tens * 10);
      rest = tens;
    }
    this.#length += 7;
  }

  /** Bytes as hex, and the end of the line. */
  hexLine(bytes: Uint8Array): void {
    this.#room(bytes.length * 2 + 1);
    const to = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] ?? 0;
      to[at++] = DIGITS[byte >> 4] ?? 0;
      to[at++] = DIGITS[byte & 15] ?? 0;
    }
    to[at++] = 10;
    this.#length = at;
  }

  /** What waits, to be looked at now. */
  present(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** All that waits. It may be used until `written`; what comes meanwhile waits in another buffer. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    const full = this.#bytes;
    this.#bytes = this.#spare ?? Buffer.allocUnsafe(FIRST_BYTES);
    this.#spare = undefined;
    this.#length = 0;
    this.#full = full;
    return taken;
  }

  /** What was taken is not used any more. */
  written(): void {
    if (this.#full !== undefined && this.#full.length <= KEPT_BYTES) this.#spare = this.#full;
    this.#full = undefined;
  }

  #room(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(wanted, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
