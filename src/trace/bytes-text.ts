/** The most bytes that one line may stand for. */
export const MOST_LINE_BYTES = 16 * 1024 * 1024;

/** Why a text stands for no bytes; `at` is the offset of what is wrong. */
export interface BytesProblem {
  readonly at: number;
  readonly problem: string;
  readonly fix: string;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const NIBBLE = new Int8Array(128).fill(-1);
for (let value = 0; value < 16; value++) {
  NIBBLE[value.toString(16).charCodeAt(0)] = value;
  NIBBLE[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}
const nibble = (code: number): number => NIBBLE[code] ?? -1;
const ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, '0': 0, '"': 0x22, '\\': 0x5c };

/** Bytes as lower-case hex without spaces. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (let index = 0; index < bytes.length; index++) text += HEX[bytes[index] ?? 0];
  return text;
}

/** Reads hex with free spacing, quoted text with `\xNN`, and repeats such as `00*16`. */
export function parseBytes(text: string): Uint8Array | BytesProblem {
  return parsePlainHex(text) ?? new BytesReader(text).read();
}

/** What recorders write: hex digits and nothing else. */
function parsePlainHex(text: string): Uint8Array | undefined {
  const { length } = text;
  if (length === 0 || length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(length / 2);
  for (let index = 0; index < bytes.length; index++) {
    const high = nibble(text.charCodeAt(2 * index));
    const low = nibble(text.charCodeAt(2 * index + 1));
    if (high < 0 || low < 0) return undefined;
    bytes[index] = (high << 4) | low;
  }
  return bytes;
}

class BytesReader {
  readonly #text: string;
  readonly #bytes: number[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Uint8Array | BytesProblem {
    for (;;) {
      while (/\s/.test(this.#text.charAt(this.#at))) this.#at++;
      if (this.#at >= this.#text.length) break;
      const from = this.#bytes.length;
      const problem =
        (this.#text.charAt(this.#at) === '"' ? this.#quoted() : this.#hex()) ?? this.#repeat(from);
      if (problem !== undefined) return problem;
    }
    if (this.#bytes.length > 0) return Uint8Array.from(this.#bytes);
    return { at: 0, problem: 'There are no bytes here.', fix: 'Write hex, quoted text, or both.' };
  }

  #hex(): BytesProblem | undefined {
    const start = this.#at;
    while (nibble(this.#text.charCodeAt(this.#at)) >= 0) this.#at++;
    const digits = this.#text.slice(start, this.#at);
    const next = this.#text.charAt(this.#at);
    if (next !== '' && !/[\s*"]/.test(next)) {
      return {
        at: this.#at,
        problem: `"${next}" is no hex digit.`,
        fix: 'Write two hex digits for each byte, or quote text.',
      };
    }
    if (digits === '') {
      return {
        at: this.#at,
        problem: `"${next}" is no byte.`,
        fix: 'Write two hex digits for each byte, or quote text.',
      };
    }
    if (digits.length % 2 !== 0) {
      return {
        at: this.#at - 1,
        problem: 'A byte has two hex digits, and one is missing.',
        fix: 'Write 01 for 1.',
      };
    }
    for (let at = 0; at < digits.length; at += 2)
      this.#bytes.push(Number.parseInt(digits.slice(at, at + 2), 16));
    return undefined;
  }

  #quoted(): BytesProblem | undefined {
    const opened = this.#at++;
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (char === '')
        return { at: opened, problem: 'The quote is not closed.', fix: 'End the text with ".' };
      if (char === '"') {
        this.#at++;
        if (this.#at === opened + 2)
          return { at: opened, problem: 'There are no bytes here.', fix: 'Remove the empty quotes.' };
        return undefined;
      }
      const problem = char === '\\' ? this.#escape() : this.#character();
      if (problem !== undefined) return problem;
    }
  }

  #character(): undefined {
    const code = this.#text.codePointAt(this.#at) ?? 0;
    const char = String.fromCodePoint(code);
    if (code < 0x80) this.#bytes.push(code);
    else this.#bytes.push(...new TextEncoder().encode(char));
    this.#at += char.length;
  }

  #escape(): BytesProblem | undefined {
    const at = this.#at;
    const letter = this.#text.charAt(at + 1);
    const [, hex] = /^\\x([0-9a-fA-F]{2})/.exec(this.#text.slice(at, at + 4)) ?? [];
    const byte = hex === undefined ? ESCAPES[letter] : Number.parseInt(hex, 16);
    if (byte === undefined) {
      return {
        at,
        problem: `"\\${letter}" means nothing.`,
        fix: 'Write \\xNN with two hex digits, \\", \\\\, \\n, \\r, \\t or \\0.',
      };
    }
    this.#bytes.push(byte);
    this.#at += hex === undefined ? 2 : 4;
    return undefined;
  }

  /** `*N` behind what was just read, which began at `from`. */
  #repeat(from: number): BytesProblem | undefined {
    if (this.#text.charAt(this.#at) !== '*') return this.#tooLong(0);
    const at = this.#at;
    const [whole, digits = ''] = /^\*(\d{1,9})(?=\s|$)/.exec(this.#text.slice(at, at + 12)) ?? [];
    const count = Number(digits);
    if (whole === undefined || count === 0) {
      return { at, problem: 'Behind * stands how often the bytes come.', fix: 'Write for example 00*16.' };
    }
    const unit = this.#bytes.slice(from);
    const problem = this.#tooLong(unit.length * (count - 1));
    if (problem !== undefined) return { ...problem, at };
    for (let round = 1; round < count; round++) for (const byte of unit) this.#bytes.push(byte);
    this.#at += whole.length;
    return undefined;
  }

  #tooLong(more: number): BytesProblem | undefined {
    if (this.#bytes.length + more <= MOST_LINE_BYTES) return undefined;
    const problem = `One line stands for more than ${MOST_LINE_BYTES} bytes.`;
    return { at: this.#at, problem, fix: 'Cut it into several lines.' };
  }
}
