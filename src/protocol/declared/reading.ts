import type { FieldIssue, Value } from './value.ts';

/** What kept a payload from being decoded. */
export type DecodeReason =
  | 'too_short'
  | 'too_long'
  | 'bad_checksum'
  | 'bad_constant'
  | 'bad_text'
  | 'bad_count'
  | 'incomplete'
  | 'unknown_message';

export interface DecodeFailure {
  readonly reason: DecodeReason;
  /** Grows from the inside out as it passes the structures around it. */
  field: string;
  readonly offset: number;
  readonly expected: string;
  readonly seen: string;
  readonly needed?: number;
  readonly available?: number;
}

/** One field as it lies in the payload. */
export interface FieldTrace {
  /** `channels[2]`, `status.fan`; the id and the error code are `id` and `error`. */
  readonly field: string;
  readonly offset: number;
  readonly bytes: number;
  readonly raw?: Value;
  readonly value?: Value;
  readonly unit?: string;
  /** How deep it lies, from 0: a structure is followed by its fields, one deeper, and so are bits and lists. */
  readonly depth: number;
  readonly note?: string;
}

/** The state of one decoding; fields read from it and move `at` on. One reading serves many messages, one at a time. */
export class Reading {
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the payload begins; offsets in reports count from here. */
  origin = 0;
  at = 0;
  end = 0;
  /**
   * The last field left more than a value: `raw`, an issue, or a failure. One look at it keeps what nearly all fields
   * do cheap.
   */
  eventful = false;
  /** Set by the field that fails; nothing is read afterwards. */
  failure: DecodeFailure | undefined;
  issues: FieldIssue[] | undefined;
  issueCount = 0;
  /** Left by a field whose raw value differs from its value. */
  raw: Value | undefined;
  /** Raw numbers that lengths, counts and conditions refer to. */
  readonly slots: number[] = [];
  /** Start and end of what checksums cover. */
  readonly marks: number[] = [];
  trace: FieldTrace[] | undefined;
  depth = 0;
  /** Bytes that checksums looked at since `begin`, and may look at while a frame is searched. */
  summed = 0;
  mostSummed = 0;
  /** Columns of the text around that were read. */
  column = 0;

  begin(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.origin = start;
    this.at = start;
    this.end = end;
    this.eventful = false;
    this.failure = undefined;
    this.issues = undefined;
    this.issueCount = 0;
    this.raw = undefined;
    this.trace = undefined;
    this.depth = 0;
    this.summed = 0;
    this.column = 0;
  }

  /** Moves on by so many bytes; false where the payload ends before. */
  skip(count: number): boolean {
    const at = this.at + count;
    if (at > this.end) return false;
    this.at = at;
    return true;
  }

  fail(failure: DecodeFailure): undefined {
    this.failure = failure;
    this.eventful = true;
    return undefined;
  }

  /** The payload ends before the field does. */
  short(needed: number): undefined {
    const available = this.end - this.at;
    return this.fail({
      reason: 'too_short',
      field: '',
      offset: this.at - this.origin,
      expected: `${needed} ${needed === 1 ? 'byte' : 'bytes'}`,
      seen: `${available} ${available === 1 ? 'byte' : 'bytes'}`,
      needed,
      available,
    });
  }

  issue(reason: FieldIssue['reason'], detail: string, field = ''): void {
    this.issues ??= [];
    this.issues.push({ field, reason, detail });
    this.issueCount++;
    this.eventful = true;
  }

  /** The raw value, where it differs from the value that the field returns. */
  keepRaw(raw: Value): void {
    this.raw = raw;
    this.eventful = true;
  }
}

/** Puts the name of a field in front of the issues that were found inside it, from the one at `first` on. */
export function nameIssues(reading: Reading, first: number, outer: string): void {
  const issues = reading.issues ?? [];
  for (let index = first; index < issues.length; index++) {
    const issue = issues[index];
    if (issue !== undefined) issues[index] = { ...issue, field: joinPath(outer, issue.field) };
  }
}

/** Puts a line for a field in front of those of its parts, which begin at `first`, and its name in front of theirs. */
export function nameTrace(
  trace: FieldTrace[],
  first: number,
  name: string,
  own: Omit<FieldTrace, 'field'>,
): void {
  for (let index = first; index < trace.length; index++) {
    const part = trace[index];
    if (part !== undefined) trace[index] = { ...part, field: joinPath(name, part.field) };
  }
  trace.splice(first, 0, { field: name, ...own });
}

/** `a` and `b` as `a.b`, `a` and `[2]` as `a[2]`. */
export function joinPath(outer: string, inner: string): string {
  if (outer === '' || inner === '') return outer + inner;
  return inner.startsWith('[') ? outer + inner : `${outer}.${inner}`;
}
