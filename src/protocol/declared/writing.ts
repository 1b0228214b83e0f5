import { HeartwireError } from '../../errors.ts';

const FEW_BYTES = 64;

/** The state of one encoding: bytes that grow, and what later fields refer to. */
export class Writing {
  bytes = new Uint8Array(256);
  at = 0;
  readonly slots: number[] = [];
  readonly marks: number[] = [];
  /** The longest payload. */
  limit = 0;
  /** Columns of the text around that were written, and those left out since. */
  column = 0;
  missing = 0;
  /** Where a field that may be missing at the end was left out; -1 for nowhere. */
  endsAt = -1;

  begin(limit: number): void {
    this.at = 0;
    this.column = 0;
    this.missing = 0;
    this.endsAt = -1;
    this.limit = limit;
  }

  /** Makes room for so many bytes and returns where they begin. */
  take(count: number): number {
    const at = this.at;
    const end = at + count;
    if (end > this.limit) {
      throw new FieldError(`the message would be longer than ${this.limit} bytes`, `${end} bytes`);
    }
    if (end > this.bytes.length) {
      const larger = new Uint8Array(Math.max(end, Math.min(this.limit, 2 * this.bytes.length)));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
    }
    this.at = end;
    return at;
  }

  put(bytes: Uint8Array): void {
    const at = this.take(bytes.length);
    this.bytes.set(bytes, at);
  }

  /** A copy of what was written, behind so much room. */
  finish(room = 0): Uint8Array {
    const { at, bytes } = this;
    const written = new Uint8Array(room + at);
    // Of a few bytes, one after the other is quicker than a view of them.
    if (at <= FEW_BYTES) for (let index = 0; index < at; index++) written[room + index] = bytes[index] ?? 0;
    else written.set(bytes.subarray(0, at), room);
    // One huge message is no reason to hold its room for ever.
    if (this.bytes.length > 65_536) this.bytes = new Uint8Array(256);
    return written;
  }
}

/** A value that its field cannot carry; it gets the path of the field on its way out. */
export class FieldError extends Error {
  readonly seen: string;
  readonly path: string;

  constructor(message: string, seen: string, path = '') {
    super(message);
    this.seen = seen;
    this.path = path;
  }

  toHeartwireError(message: string): HeartwireError {
    const where = this.path === '' ? message : `${message}: ${this.path}`;
    return new HeartwireError('bad_field_value', `${where}: ${this.message}`, { seen: this.seen });
  }
}

/** A value as it is quoted in errors. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  const text = typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
