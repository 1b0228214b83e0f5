import { HeartwireError } from '../errors.ts';
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
   * Looks at the content of a payload whose id and length fit. Returns how many bytes were touched where it is
   * plausible, and the bitwise complement of that number (`~touched`, negative) where it is not. Touches at most
   * `end - start` bytes and allocates nothing. `hunting` asks for all that makes a coincidence unlikely; without it
   * only what the declaration forbids is rejected.
   */
  check(bytes: Uint8Array, start: number, end: number, hunting: boolean): number;
}

/** A message as the decoders know it; the built-in ones and those that users declare look alike. */
export interface MessageDefinition {
  readonly name: string;
  /** Signed 8-bit message id. */
  readonly id: number;
  readonly shapes: readonly FrameShape[];
  /** Decodes a payload whose id fits; a length that fits no shape is an invalid payload too. */
  decode(bytes: Uint8Array, start: number, end: number): Message | InvalidPayload;
}

const NO_SHAPES: readonly FrameShape[] = [];

/** Default bound of one payload on a stream, in bytes. */
export const DEFAULT_MAX_FRAME = 1_048_576;

/** All that the decoders know about a protocol: which ids have which lengths, and how their content is checked. */
export class ProtocolDefinition {
  readonly messages: readonly MessageDefinition[];
  /** Upper bound of a payload on a stream, in bytes. */
  readonly maxFrame: number;
  /** The longest declared payload that `maxFrame` admits, in bytes; what resynchronisation reckons with. */
  readonly longest: number;
  readonly #byId: Array<MessageDefinition | undefined> = new Array(256).fill(undefined);
  readonly #shapesById: Array<readonly FrameShape[]> = new Array(256).fill(NO_SHAPES);
  readonly #shapes: readonly FrameShape[];

  constructor(messages: readonly MessageDefinition[], maxFrame: number = DEFAULT_MAX_FRAME) {
    if (!Number.isInteger(maxFrame) || maxFrame < 1 || maxFrame > 0x7fff_ffff) {
      throw new HeartwireError('bad_argument', `max_frame must be 1 to ${0x7fff_ffff} bytes`, {
        seen: String(maxFrame),
      });
    }
    for (const message of messages) {
      const slot = message.id & 0xff;
      const other = this.#byId[slot];
      if (other !== undefined) {
        throw new HeartwireError('bad_argument', `${message.name} and ${other.name} have the same id`, {
          seen: String(message.id),
        });
      }
      this.#byId[slot] = message;
      this.#shapesById[slot] = message.shapes;
    }
    this.messages = messages;
    this.maxFrame = maxFrame;
    this.#shapes = messages.flatMap((message) => message.shapes);
    this.longest = Math.min(maxFrame, Math.max(0, ...this.#shapes.map((shape) => shape.maxLength)));
  }

  /** The message with this id, signed or as a byte. */
  message(id: number): MessageDefinition | undefined {
    return this.#byId[id & 0xff];
  }

  /** The shape that a payload of this id and length has. */
  shape(id: number, length: number): FrameShape | undefined {
    const shapes = this.#shapesById[id & 0xff];
    if (shapes === undefined) return undefined;
    for (let index = 0; index < shapes.length; index++) {
      const shape = shapes[index];
      if (shape !== undefined && length >= shape.minLength && length <= shape.maxLength) return shape;
    }
    return undefined;
  }

  /** Whether any message may have a payload of this length. */
  lengthPossible(length: number): boolean {
    return (
      length <= this.maxFrame && this.#shapes.some((s) => length >= s.minLength && length <= s.maxLength)
    );
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
