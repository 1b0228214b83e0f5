import type { Candidate } from './candidate.ts';
import type { ProtocolDeclaration } from './declaration.ts';
import type { MessageCodec } from './message-codec.ts';
import { type LoadNumber, loaderOf, parseNumberType } from './number-type.ts';

const NONE: readonly Candidate[] = [];
/** What the decoders grant for every byte received. */
const MOST_PASSES = 16;

/** The forms of all messages by the id that their payloads begin with. */
export class CandidatesById {
  /** The id is the first byte of every payload. */
  readonly isFirstByte: boolean;
  readonly hasIds: boolean;
  /**
   * So many times a check looks at each byte at most. A message that needs more is found in step only, not where a frame
   * is searched.
   */
  readonly passes: number;
  readonly #byId = new Map<number | undefined, readonly Candidate[]>();
  /** The same by the first byte, which needs no hashing. */
  readonly #byByte: readonly (readonly Candidate[])[] | undefined;
  readonly #read: LoadNumber | undefined;
  readonly #at: number;
  readonly #end: number;

  constructor({ id, byteOrder }: ProtocolDeclaration, messages: readonly MessageCodec[]) {
    const type = id === undefined ? undefined : parseNumberType(id.type, byteOrder);
    this.#read = type && loaderOf(type);
    this.hasIds = type !== undefined;
    this.#at = id?.at ?? 0;
    this.#end = this.#at + (type?.bytes ?? 0);
    this.isFirstByte = id?.at === 0 && type?.bytes === 1;
    for (const codec of messages) {
      for (const form of codec.forms)
        this.#byId.set(form.id, [...(this.#byId.get(form.id) ?? []), { codec, form }]);
    }
    this.#byByte = this.isFirstByte
      ? Array.from({ length: 256 }, (_, byte) => this.#byId.get(this.#read?.(Uint8Array.of(byte), 0)) ?? NONE)
      : undefined;
    const needed = [...this.#byId.values()].map((all) => all.reduce((sum, { form }) => sum + form.passes, 0));
    this.passes = Math.min(MOST_PASSES, Math.max(1, ...needed));
  }

  /** The forms that a payload may have. */
  of(bytes: Uint8Array, start: number, end: number): readonly Candidate[] {
    if (this.#byByte !== undefined && start < end) return this.#byByte[bytes[start] ?? 0] ?? NONE;
    return this.#byId.get(this.idOf(bytes, start, end)) ?? NONE;
  }

  /** The id of a payload; NaN where it is not all there, undefined where messages have none. */
  idOf(bytes: Uint8Array, start: number, end: number): number | undefined {
    if (this.#read === undefined) return undefined;
    if (start + this.#end > end) return Number.NaN;
    return this.#read(bytes, start + this.#at);
  }
}
