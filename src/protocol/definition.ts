import { HeartwireError } from '../errors.ts';
import { DEFAULT_MAX_FRAME } from './framing/framing-keys.ts';
import type { InvalidPayload, Message } from './message.ts';

/** The two directions of an exchange; the length alone tells them apart. */
export type FrameKind = 'request' | 'reply';

/** One form in which a message may appear on the wire: a kind, and the lengths it may have. */
export interface FrameShape {
  /** Name of the message. */
  readonly message: string;
  readonly kind: FrameKind;
  /** Bounds of the payload in bytes, id included; equal for most. */
  readonly minLength: number;
  readonly maxLength: number;
  /** What the content must be, in words, for reports. */
  readonly content: string;
  /** The content proves little (no text, no checksum): beside damaged bytes it may be a coincidence. */
  readonly weak: boolean;
  /**
   * Least and greatest value that the last byte may have, where not all are possible. Even in step it is looked at: a
   * frame that lost a byte ends in the head of the next one.
   */
  readonly lastByte?: readonly [number, number];
  /** So many times `check` looks at each byte at most; once where it is left out. */
  readonly passes?: number;
  /**
   * Looks at the content of a payload whose id and length fit, for all that makes a coincidence unlikely. Returns how
   * many bytes were touched where it is plausible, and the bitwise complement of that number (`~touched`, negative)
   * where it is not. Touches at most `passes * (end - start)` bytes and allocates nothing.
   */
  check(bytes: Uint8Array, start: number, end: number): number;
}

/** A message as the decoders know it; the built-in ones and those that users declare look alike. */
export interface MessageDefinition {
  readonly name: string;
  /** Signed 8-bit message id. */
  readonly id: number;
  readonly shapes: readonly FrameShape[];
  /**
   * On a stream, a payload of no possible length is a message that is wrong, not a sign that its sender speaks something
   * else: devices come with longer and shorter versions of what was declared for them.
   */
  readonly anyLength?: boolean;
  /** Decodes a payload whose id fits; a length that fits no shape is an invalid payload too. */
  decode(bytes: Uint8Array, start: number, end: number): Message | InvalidPayload;
}

/** The greatest bound: lengths stay signed 32-bit numbers. */
const GREATEST_MAX_FRAME = 0x7fff_ffff;

const NO_SHAPES: readonly FrameShape[] = [];

/** Verdicts on lengths below this are looked up in one step. */
const TABLE_LENGTHS = 64;

// A verdict on id and length is the least value of the last byte (high byte) and the greatest (low byte). These two
// are ranges that hold no value.
const FORBIDDEN = 0xff00;
const UNKNOWN = 0xfe00;

/** All that the decoders know about a protocol: which ids have which lengths, and how their content is checked. */
export class ProtocolDefinition {
  readonly messages: readonly MessageDefinition[];
  /** Upper bound of a payload on a stream, in bytes. */
  readonly maxFrame: number;
  /** The longest declared payload that `maxFrame` admits, in bytes; what resynchronisation reckons with. */
  readonly longest: number;
  readonly #byId: Array<MessageDefinition | undefined> = new Array(256).fill(undefined);
  readonly #shapes: readonly FrameShape[];
  /** Every frame asks for its verdict, so for short ones it is one load. */
  readonly #table = new Uint16Array(256 * TABLE_LENGTHS);

  constructor(messages: readonly MessageDefinition[], maxFrame: number = DEFAULT_MAX_FRAME) {
    if (!Number.isInteger(maxFrame) || maxFrame < 1 || maxFrame > GREATEST_MAX_FRAME) {
      throw new HeartwireError('bad_argument', `max_frame must be 1 to ${GREATEST_MAX_FRAME} bytes`, {
        seen: String(maxFrame),
      });
    }
    for (const message of messages) {
      const other = this.message(message.id);
      if (other !== undefined) {
        throw new HeartwireError('bad_argument', `${message.name} and ${other.name} have the same id`, {
          seen: String(message.id),
        });
      }
      this.#byId[message.id & 0xff] = message;
    }
    this.messages = messages;
    this.maxFrame = maxFrame;
    this.#shapes = messages.flatMap((message) => message.shapes);
    this.longest = Math.min(maxFrame, Math.max(0, ...this.#shapes.map((shape) => shape.maxLength)));
    for (let index = 0; index < this.#table.length; index++) {
      this.#table[index] = this.#look(Math.floor(index / TABLE_LENGTHS), index % TABLE_LENGTHS);
    }
  }

  /** The message with this id, signed or as a byte. */
  message(id: number): MessageDefinition | undefined {
    return this.#byId[id & 0xff];
  }

  /** The shape that a payload of this id and length has. */
  shape(id: number, length: number): FrameShape | undefined {
    const shapes = this.message(id)?.shapes ?? NO_SHAPES;
    for (let index = 0; index < shapes.length; index++) {
      const shape = shapes[index];
      if (shape !== undefined && length >= shape.minLength && length <= shape.maxLength) return shape;
    }
    return undefined;
  }

  /** Whether a stream may carry a payload of this id (as a byte) and length; an id that is not declared may have any. */
  admits(id: number, length: number): boolean {
    return this.#verdict(id, length) !== FORBIDDEN;
  }

  /** Whether a message of this id (as a byte) and length is declared. */
  knows(id: number, length: number): boolean {
    const verdict = this.#verdict(id, length);
    return verdict !== FORBIDDEN && verdict !== UNKNOWN;
  }

  /** Whether a message of this id (as a byte) and length is declared, and may end in this byte. */
  declares(id: number, length: number, lastByte: number): boolean {
    const verdict = this.#verdict(id, length);
    return lastByte >= verdict >> 8 && lastByte <= (verdict & 0xff);
  }

  /** Whether any message may have a payload of this length. */
  lengthPossible(length: number): boolean {
    if (length > this.maxFrame) return false;
    for (const shape of this.#shapes) if (length >= shape.minLength && length <= shape.maxLength) return true;
    return false;
  }

  #verdict(id: number, length: number): number {
    if (length < TABLE_LENGTHS) return this.#table[id * TABLE_LENGTHS + length] ?? FORBIDDEN;
    return this.#look(id, length);
  }

  #look(id: number, length: number): number {
    const message = this.message(id);
    if (message === undefined) return UNKNOWN;
    const shape = this.shape(id, length);
    if (shape === undefined) return message.anyLength === true ? UNKNOWN : FORBIDDEN;
    return ((shape.lastByte?.[0] ?? 0x00) << 8) | (shape.lastByte?.[1] ?? 0xff);
  }
}

/** The lengths that a message may have, in words: `2 or 52 bytes`. */
export function lengthsInWords(message: MessageDefinition): string {
  const lengths = message.shapes
    .toSorted((a, b) => a.minLength - b.minLength)
    .map((s) => (s.minLength === s.maxLength ? `${s.minLength}` : `${s.minLength} to ${s.maxLength}`));
  const unit = lengths.at(-1) === '1' ? 'byte' : 'bytes';
  const last = lengths.pop() ?? 'no';
  return `${lengths.length > 0 ? `${lengths.join(', ')} or ` : ''}${last} ${unit}`;
}
