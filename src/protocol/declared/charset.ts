/** Character sets that the platform decodes and has no encoder for. */
const LABELS = {
  gbk: 'gbk',
  gb18030: 'gb18030',
  big5: 'big5',
  shift_jis: 'shift_jis',
  euc_kr: 'euc-kr',
  cp1250: 'windows-1250',
  cp1251: 'windows-1251',
  cp1252: 'windows-1252',
  cp1253: 'windows-1253',
  cp1254: 'windows-1254',
  cp1255: 'windows-1255',
  cp1256: 'windows-1256',
  cp1257: 'windows-1257',
  cp1258: 'windows-1258',
} as const;

export type Charset = keyof typeof LABELS;

export const isCharset = (name: string): name is Charset => Object.hasOwn(LABELS, name);

type Decoder = InstanceType<typeof TextDecoder>;

interface Decoders {
  readonly strict: Pick<Decoder, 'decode'>;
  readonly lenient: Pick<Decoder, 'decode'>;
}

/** Code page 1252 from 0x80 to 0x9f. Some platforms take its label for Latin-1. */
const CP1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

const cp1252: Pick<Decoder, 'decode'> = {
  decode(given) {
    let text = '';
    // Only arrays of bytes are decoded here.
    for (const byte of given as Uint8Array)
      text += byte >= 0x80 && byte < 0xa0 ? CP1252.charAt(byte - 0x80) : String.fromCharCode(byte);
    return text;
  },
};

/** Some platforms read three control codes of Shift_JIS as each other; here a byte of ASCII is itself. */
const CONTROLS: Readonly<Record<string, string>> = {
  '\u001c': '\u001a',
  '\u007f': '\u001c',
  '\u001a': '\u007f',
};

function shiftJis(fatal: boolean): Pick<Decoder, 'decode'> {
  const decoder = new TextDecoder(LABELS.shift_jis, { fatal });
  const swapped = decoder.decode(Uint8Array.of(0x1a)) !== '\u001a';
  if (!swapped) return decoder;
  return {
    decode: (given) => {
      let text = '';
      for (const each of decoder.decode(given)) text += CONTROLS[each] ?? each;
      return text;
    },
  };
}

const decoders = new Map<Charset, Decoders>();

function decodersOf(charset: Charset): Decoders {
  let known = decoders.get(charset);
  if (known === undefined) {
    known =
      charset === 'cp1252'
        ? { strict: cp1252, lenient: cp1252 }
        : charset === 'shift_jis'
          ? { strict: shiftJis(true), lenient: shiftJis(false) }
          : {
              strict: new TextDecoder(LABELS[charset], { fatal: true }),
              lenient: new TextDecoder(LABELS[charset]),
            };
    decoders.set(charset, known);
  }
  return known;
}

export const strictDecoder = (charset: Charset): Decoders['strict'] => decodersOf(charset).strict;
export const lenientDecoder = (charset: Charset): Decoders['strict'] => decodersOf(charset).lenient;

/** Whether a byte begins a character of several bytes. */
function isLead(charset: Charset, byte: number): boolean {
  if (charset.startsWith('cp')) return false;
  if (charset === 'shift_jis') return (byte >= 0x81 && byte <= 0x9f) || (byte >= 0xe0 && byte <= 0xfc);
  return byte >= 0x81 && byte <= 0xfe;
}

/** Bytes of the character that begins here: a byte behind a lead may look like one of ASCII. */
export function characterLength(charset: Charset, bytes: Uint8Array, at: number, end: number): number {
  if (!isLead(charset, bytes[at] ?? 0) || at + 1 >= end) return 1;
  const second = bytes[at + 1] ?? 0;
  if (charset === 'gb18030' && second >= 0x30 && second <= 0x39) return at + 4 <= end ? 4 : 1;
  return second >= 0x40 ? 2 : 1;
}

/** Whether bytes are text, but for `most` broken characters. Allocates nothing. */
export function isCharsetText(
  charset: Charset,
  bytes: Uint8Array,
  start: number,
  end: number,
  most: number,
): boolean {
  let broken = 0;
  for (let at = start; at < end; ) {
    const length = characterLength(charset, bytes, at, end);
    if (length === 1 && isLead(charset, bytes[at] ?? 0) && ++broken > most) return false;
    at += length;
  }
  return true;
}

type Codes = ReadonlyMap<string, number>;

const tables = new Map<Charset, Codes>();
let fourBytes: Codes | undefined;

/** The bytes of a text; undefined where the charset has no such character. */
export function encodeCharset(charset: Charset, text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) {
      bytes.push(code);
      continue;
    }
    const found = codesOf(charset).get(character);
    if (found !== undefined) {
      if (found > 0xff) bytes.push(found >> 8);
      bytes.push(found & 0xff);
      continue;
    }
    const linear = charset === 'gb18030' ? linearOf(character, code) : undefined;
    if (linear === undefined) return undefined;
    bytes.push(...fourBytesOf(linear));
  }
  return Uint8Array.from(bytes);
}

/** Made by decoding every code once, when the first text is encoded. */
function codesOf(charset: Charset): Codes {
  const known = tables.get(charset);
  if (known !== undefined) return known;
  const codes = new Map<string, number>();
  const { lenient } = decodersOf(charset);
  const add = (code: number, bytes: Uint8Array): void => {
    const text = lenient.decode(bytes);
    if (text.includes('\ufffd') || [...text].length !== 1) return;
    // Of several codes of one character, the standard's encoders write the first one, but for a few of Big5.
    if (!codes.has(text) || (charset === 'big5' && LAST_OF_BIG5.has(text))) codes.set(text, code);
  };
  // The single byte of the euro sign is read in GB 18030 too, and written in GBK alone.
  const singles = charset !== 'gb18030';
  for (let byte = 0x80; singles && byte < 0x100; byte++)
    if (!isLead(charset, byte)) add(byte, Uint8Array.of(byte));
  for (let lead = 0x81; lead < 0xff; lead++) {
    if (!isLead(charset, lead) || isDecodedOnly(charset, lead)) continue;
    for (let trail = 0x40; trail < 0xff; trail++) add((lead << 8) | trail, Uint8Array.of(lead, trail));
  }
  tables.set(charset, codes);
  return codes;
}

const LAST_OF_BIG5 = new Set('\u2550\u255e\u2561\u256a\u5341\u5345');

/** Rows that are read, and never written: those of Hong Kong in Big5, and a second copy in Shift_JIS. */
const isDecodedOnly = (charset: Charset, lead: number): boolean =>
  (charset === 'big5' && lead < 0xa1) || (charset === 'shift_jis' && (lead === 0xed || lead === 0xee));

/** Codes of four bytes of GB 18030 in the basic plane, counted from 81 30 81 30. */
const BASIC_CODES = 39_420;
const FIRST_BEYOND_BASIC = 189_000;

function linearOf(character: string, code: number): number | undefined {
  if (code >= 0x1_0000) return FIRST_BEYOND_BASIC + code - 0x1_0000;
  if (fourBytes === undefined) {
    const codes = new Map<string, number>();
    const { lenient } = decodersOf('gb18030');
    for (let linear = 0; linear < BASIC_CODES; linear++) {
      const text = lenient.decode(fourBytesOf(linear));
      if (text.length === 1 && text !== '\ufffd') codes.set(text, linear);
    }
    fourBytes = codes;
  }
  return fourBytes.get(character);
}

function fourBytesOf(linear: number): Uint8Array {
  return Uint8Array.of(
    0x81 + Math.floor(linear / 12_600),
    0x30 + (Math.floor(linear / 1_260) % 10),
    0x81 + (Math.floor(linear / 10) % 126),
    0x30 + (linear % 10),
  );
}
