const FIRST_BYTES = 4_096;
/** Beyond this a buffer that was grown is given back once it is empty. */
const KEPT_BYTES = 256 * 1024;

const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** The two digits of every byte, one after the other. */
const PAIRS = Uint8Array.from({ length: 512 }, (_, at) => DIGITS[(at & 1 ? at >> 1 : at >> 5) & 15] ?? 0);
/** From here on the engine's own conversion is faster than digit by digit. */
const MANY_BYTES = 96;
/** The three decimal digits of 0 to 999, one after the other. */
const THOUSANDS = Uint8Array.from(
  Array.from({ length: 1_000 }, (_, value) => String(value).padStart(3, '0')).join(''),
  (digit) => digit.charCodeAt(0),
);
const ZERO = 0x30;
const POINT = 0x2e;
const NEWLINE = 10;

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

  /** A line of bytes: seconds with six decimals, `mark`, and hex. Every frame of every device costs this. */
  line(us: number, mark: Uint8Array, bytes: Uint8Array): void {
    this.#room(24 + mark.length + bytes.length * 2);
    this.#time(us);
    const to = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < mark.length; index++) to[at++] = mark[index] ?? 0;
    if (bytes.length >= MANY_BYTES) {
      const { buffer, byteOffset, length } = bytes;
      at += to.write(Buffer.from(buffer, byteOffset, length).toString('hex'), at, 'latin1');
    } else {
      for (let index = 0; index < bytes.length; index++) {
        const pair = 2 * (bytes[index] ?? 0);
        to[at++] = PAIRS[pair] ?? 0;
        to[at++] = PAIRS[pair + 1] ?? 0;
      }
    }
    to[at++] = NEWLINE;
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

  #time(us: number): void {
    const to = this.#bytes;
    const seconds = Math.floor(us / 1e6);
    const rest = us - seconds * 1e6;
    let digits = 1;
    for (let bound = 10; seconds >= bound; bound *= 10) digits++;
    let left = seconds;
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const tens = Math.floor(left / 10);
      to[at] = ZERO + (left - tens * 10);
      left = tens;
    }
    let at = this.#length + digits;
    to[at++] = POINT;
    const thousands = (rest / 1_000) | 0;
    for (let from = 3 * thousands, end = from + 3; from < end; from++) to[at++] = THOUSANDS[from] ?? 0;
    for (let from = 3 * (rest - thousands * 1_000), end = from + 3; from < end; from++)
      to[at++] = THOUSANDS[from] ?? 0;
    this.#length = at;
  }

  #room(more: number): void {
    const wanted = this.#length + more;
    if (wanted <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(wanted, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
