import type { LineRemark } from '../decoder.ts';
import { quotedText } from '../describe.ts';
import { bytesInWords } from './words.ts';

export const CR = 0x0d;
export const LF = 0x0a;
/** So many lines of another end, and none of the declared one, are no accident. */
const SURE = 2;
const SAMPLE_BYTES = 48;

export type LineEnd = 'crlf' | 'lf' | 'cr';

const NAMES: Readonly<Record<LineEnd, string>> = {
  crlf: '0d 0a ("\\r\\n")',
  lf: '0a ("\\n")',
  cr: '0d ("\\r")',
};

/** Which end of a line these bytes are; undefined where they are none. */
export function lineEndOf(delimiter: Uint8Array): LineEnd | undefined {
  const [first, second] = delimiter;
  if (delimiter.length === 2) return first === CR && second === LF ? 'crlf' : undefined;
  if (delimiter.length > 2) return undefined;
  return first === LF ? 'lf' : first === CR ? 'cr' : undefined;
}

/** Looks at the first lines of a link: whether they end as declared. */
export class LineEndWatch {
  readonly #declared: LineEnd;
  readonly #counts: Record<LineEnd, number> = { crlf: 0, lf: 0, cr: 0 };
  readonly #sample = new Uint8Array(SAMPLE_BYTES);
  #held = 0;
  #behindCr = false;
  #settled = false;

  constructor(declared: LineEnd) {
    this.#declared = declared;
  }

  /** It has nothing more to say. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Takes bytes as they come; what they say of the line, the first time that they do. */
  received(bytes: Uint8Array, from: number, to: number): LineRemark | undefined {
    for (let at = from; at < to && !this.#settled; at++) {
      const byte = bytes[at] ?? 0;
      if (this.#held < SAMPLE_BYTES) this.#sample[this.#held++] = byte;
      if (byte === LF) this.#counts[this.#behindCr ? 'crlf' : 'lf']++;
      else if (this.#behindCr) this.#counts.cr++;
      this.#behindCr = byte === CR;
      if (byte !== LF && byte !== CR && (byte < 0x20 || byte > 0x7e) && byte !== 0x09) this.#settled = true;
      const remark = this.#judge(SURE);
      if (remark !== undefined) return remark;
    }
    return undefined;
  }

  /** The line fell silent: a line that ended in something else is over. */
  silent(): LineRemark | undefined {
    if (this.#behindCr) this.#counts.cr++;
    this.#behindCr = false;
    return this.#judge(1);
  }

  #judge(sure: number): LineRemark | undefined {
    if (this.#settled) return undefined;
    this.#settled = this.#counts[this.#declared] > 0;
    if (this.#settled) return undefined;
    const [other] = (['crlf', 'lf', 'cr'] as const).filter((end) => this.#counts[end] >= sure);
    if (other === undefined) return undefined;
    this.#settled = true;
    const sample = this.#sample.subarray(0, this.#held);
    return {
      reason: 'wrong_delimiter',
      detail: `lines end with ${NAMES[other]}, not with ${NAMES[this.#declared]}: ${bytesInWords(sample)} ${quotedText(sample)}; write what ends them as \`delimiter\` of the framing`,
    };
  }
}
