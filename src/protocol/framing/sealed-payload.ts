import { HeartwireError } from '../../errors.ts';
import { ChecksumField, type ChecksumSurroundings } from './checksum-field.ts';
import type { ChecksumDeclaration } from './framing-keys.ts';

/** A payload with its checksum behind it, where it has one, as it stands inside of a delimited frame. */
export class SealedPayload {
  readonly checksum: ChecksumField | undefined;
  readonly maxPayload: number;
  /** Most bytes of payload and checksum. */
  readonly maxBytes: number;
  /** In words, for reports. */
  readonly expected: string;

  constructor(
    checksum: ChecksumDeclaration | undefined,
    maxPayload: number,
    surroundings: ChecksumSurroundings = {},
  ) {
    this.checksum = checksum === undefined ? undefined : new ChecksumField(checksum, surroundings);
    this.maxPayload = maxPayload;
    this.maxBytes = maxPayload + (this.checksum?.bytes ?? 0);
    this.expected = this.checksum === undefined ? 'a frame' : `a frame with ${this.checksum.name}`;
  }

  /** Where the payload ends; -1 where the checksum is wrong. */
  endOf(bytes: Uint8Array, start: number, end: number): number {
    if (this.checksum === undefined) return end;
    const at = end - this.checksum.bytes;
    return at > start && this.checksum.matches(bytes, start, at) ? at : -1;
  }

  /** Payload and checksum in one piece. */
  seal(payload: Uint8Array): Uint8Array {
    if (payload.length === 0 || payload.length > this.maxPayload) {
      throw new HeartwireError('bad_argument', `A payload has 1 to ${this.maxPayload} bytes`, {
        seen: `${payload.length} bytes`,
      });
    }
    if (this.checksum === undefined) return payload;
    const sealed = new Uint8Array(payload.length + this.checksum.bytes);
    sealed.set(payload);
    this.checksum.write(sealed, 0, payload.length);
    return sealed;
  }
}
