import type { Reading } from './reading.ts';
import type { Value } from './value.ts';
import type { Writing } from './writing.ts';

/** A value that stands in text. */
export interface ValueText {
  /** Undefined where there is none; its raw text and issues are left in `reading`. */
  read(text: string, reading: Reading): Value | undefined;
  /** @throws FieldError where no text means the value */
  write(value: unknown, writing: Writing): string;
}
