import type { Sender } from './declaration.ts';
import type { MessageCodec } from './message-codec.ts';
import type { Form } from './message-form.ts';
import type { Reading } from './reading.ts';

/** One form of a message, as one of those that a payload may be. */
export interface Candidate {
  readonly codec: MessageCodec;
  readonly form: Form;
}

export const isReply = ({ form }: Candidate): boolean => form.kind === 'reply';

/**
 * Whether a payload is one of the candidates: how many bytes were looked at where it is, the bitwise complement of that
 * number where it is not. Allocates nothing.
 */
export function checkAmong(
  candidates: readonly Candidate[],
  reading: Reading,
  passes: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  from: Sender | undefined,
): number {
  const length = end - start;
  let touched = 0;
  for (let index = 0; index < candidates.length; index++) {
    const candidate = candidates[index];
    if (candidate === undefined) break;
    const { codec, form } = candidate;
    if (length < form.minLength || length > form.maxLength || !codec.mayComeFrom(form, from)) continue;
    const left = length * passes - touched;
    if (left < length) break;
    const plausible = codec.check(form, reading, bytes, start, end, left);
    touched += reading.at - reading.origin + reading.summed;
    if (plausible) return touched;
  }
  return ~touched;
}

/** The form that a payload was found to have, and how many bytes were looked at for that. */
export interface FoundForm {
  readonly form: Form | undefined;
  readonly touched: number;
}

/** The form that a whole payload has; with `awaited` only the reply to that message counts. */
export function formAmong(
  candidates: readonly Candidate[],
  reading: Reading,
  bytes: Uint8Array,
  start: number,
  end: number,
  from: Sender | undefined,
  awaited: string | undefined,
): FoundForm {
  const length = end - start;
  let touched = 0;
  for (const { codec, form } of candidates) {
    if (awaited !== undefined && (codec.name !== awaited || form.kind !== 'reply')) continue;
    if (length < form.minLength || length > form.maxLength || !codec.mayComeFrom(form, from)) continue;
    const plausible = codec.check(form, reading, bytes, start, end, length * (form.passes + 1));
    touched += reading.at - reading.origin + reading.summed;
    if (plausible) return { form, touched };
  }
  return { form: undefined, touched };
}

/** The one fixed size that all candidates from a side have; -1 where they have none. */
export function sizeOf(candidates: readonly Candidate[], from: Sender | undefined): number {
  let size = -1;
  for (const { codec, form } of candidates) {
    if (!codec.mayComeFrom(form, from)) continue;
    if (form.minLength !== form.maxLength || (size >= 0 && size !== form.minLength)) return -1;
    size = form.minLength;
  }
  return size;
}

/** The candidate that comes nearest to a length that fits none. */
export function nearestTo(
  length: number,
  candidates: readonly Candidate[],
  from: Sender | undefined,
): Candidate | undefined {
  const possible = candidates.filter(({ codec, form }) => codec.mayComeFrom(form, from));
  const shorter = possible.filter(({ form }) => form.minLength <= length);
  const [nearest] =
    shorter.length > 0
      ? shorter.toSorted((a, b) => b.form.minLength - a.form.minLength)
      : possible.toSorted((a, b) => a.form.minLength - b.form.minLength);
  return nearest;
}
