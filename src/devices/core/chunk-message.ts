import type { FieldDeclaration, MessageDeclaration, Sender } from '../../protocol/index.ts';

/** A declared message that carries a piece of a file. */
export interface ChunkMessage {
  readonly name: string;
  /** Bytes of the file that one message carries at most. */
  readonly chunkBytes: number;
  /** It says how long the whole file is, in a field `size`. */
  readonly saysSize: boolean;
  /** It says the CRC-32 of the whole file, in a field `file_crc`. */
  readonly saysCrc: boolean;
}

const DEFAULT_CHUNK_BYTES = 1_024;
const NEEDED = ['transfer', 'index', 'total', 'data'];

/** The message with which `from` sends files: one with the fields `transfer`, `index`, `total` and `data`, and a status as its reply. */
export function chunkMessage(
  declarations: readonly MessageDeclaration[],
  from: Exclude<Sender, 'any'>,
): ChunkMessage | undefined {
  for (const { name, from: sender = 'any', reply, fields = [] } of declarations) {
    if (reply !== 'status' || (sender !== 'any' && sender !== from)) continue;
    if (!NEEDED.every((needed) => fields.some((field) => field.name === needed))) continue;
    const data = fields.find((field) => field.name === 'data');
    if (data?.type !== 'bytes') continue;
    const fixed = typeof data.length === 'number' ? data.length : undefined;
    const says = (field: string) => fields.some((each) => each.name === field && isWhole(each));
    return {
      name,
      chunkBytes: fixed ?? data.max ?? DEFAULT_CHUNK_BYTES,
      saysSize: says('size'),
      saysCrc: says('file_crc'),
    };
  }
  return undefined;
}

/** A constant is no part of the values, and would say the same of every file. */
const isWhole = ({ type, value }: FieldDeclaration): boolean =>
  value === undefined && /^u\d+(?:le|be)?$/.test(type);
