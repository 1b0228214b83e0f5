/** The bytes of the telnet protocol (RFC 854) that a serial line needs. */
export const IAC = 255;
export const DONT = 254;
export const DO = 253;
export const WONT = 252;
export const WILL = 251;
export const SB = 250;
const SE = 240;

/** Options by number: RFC 856, 858, 2217. */
export const BINARY = 0;
export const SUPPRESS_GO_AHEAD = 3;
export const COM_PORT = 44;

/** The longest subnegotiation that is kept, in bytes; a longer one is dropped whole. */
const LONGEST_SUBNEGOTIATION = 256;

export interface TelnetHandlers {
  /** Bytes of the line, without escapes. */
  data(bytes: Uint8Array): void;
  /** DO, DONT, WILL or WONT of an option. */
  command(verb: number, option: number): void;
  subnegotiation(option: number, bytes: Uint8Array): void;
}

/** Tells the bytes of the line from telnet's own, whatever the chunks; in time and memory linear in the chunk. */
export class TelnetReader {
  readonly #handlers: TelnetHandlers;
  #state: 'data' | 'iac' | 'option' | 'sub' | 'sub_iac' = 'data';
  #verb = 0;
  #sub: number[] = [];
  #tooLong = false;

  constructor(handlers: TelnetHandlers) {
    this.#handlers = handlers;
  }

  push(chunk: Uint8Array): void {
    if (this.#state === 'data' && !chunk.includes(IAC)) return this.#handlers.data(chunk);
    const line = new Uint8Array(chunk.length);
    let start = 0;
    let end = 0;
    const flush = (): void => {
      if (end > start) this.#handlers.data(line.subarray(start, end));
      start = end;
    };
    for (const byte of chunk) {
      switch (this.#state) {
        case 'data':
          if (byte === IAC) this.#state = 'iac';
          else line[end++] = byte;
          break;
        case 'iac':
          if (byte === IAC) {
            line[end++] = IAC;
            this.#state = 'data';
          } else this.#begin(byte);
          break;
        case 'option':
          this.#state = 'data';
          flush();
          this.#handlers.command(this.#verb, byte);
          break;
        case 'sub':
          if (byte === IAC) this.#state = 'sub_iac';
          else this.#keep(byte);
          break;
        case 'sub_iac':
          if (byte === IAC) {
            this.#keep(IAC);
            this.#state = 'sub';
          } else if (byte === SE) {
            this.#state = 'data';
            flush();
            this.#subnegotiated();
          } else this.#begin(byte);
          break;
      }
    }
    flush();
  }

  /** What follows an IAC that escapes nothing; commands of one byte mean nothing on a serial line. */
  #begin(byte: number): void {
    this.#verb = byte;
    this.#sub = [];
    this.#tooLong = false;
    this.#state = byte === SB ? 'sub' : byte > SB ? 'option' : 'data';
  }

  #keep(byte: number): void {
    if (this.#sub.length < LONGEST_SUBNEGOTIATION) this.#sub.push(byte);
    else this.#tooLong = true;
  }

  #subnegotiated(): void {
    const [option, ...bytes] = this.#sub;
    this.#sub = [];
    if (option !== undefined && !this.#tooLong) this.#handlers.subnegotiation(option, Uint8Array.from(bytes));
  }
}

/** Bytes of the line as telnet carries them; the same array where nothing of it is escaped. */
export function escaped(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(IAC)) return bytes;
  let count = 0;
  for (const byte of bytes) if (byte === IAC) count += 1;
  const line = new Uint8Array(bytes.length + count);
  let end = 0;
  for (const byte of bytes) {
    line[end++] = byte;
    if (byte === IAC) line[end++] = IAC;
  }
  return line;
}

export const command = (verb: number, option: number): Uint8Array => Uint8Array.of(IAC, verb, option);

export const subnegotiation = (option: number, bytes: readonly number[]): Uint8Array =>
  Uint8Array.of(IAC, SB, option, ...escaped(Uint8Array.from(bytes)), IAC, SE);
