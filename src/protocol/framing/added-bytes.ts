import type { AddedBytes } from './framing-keys.ts';
import type { Scratch } from './scratch.ts';

/** Adds it to a frame that is to be sent, up to `end`. */
export function addTo(frame: Uint8Array, { byte, from }: AddedBytes, end: number): void {
  for (let at = from; at < end; at++) frame[at] = ((frame[at] ?? 0) + byte) & 0xff;
}

/** The payload of the frame at `at` as it was before it was sent, at the front of `scratch`. Returns its length. */
export function takeOff(
  { byte, from }: AddedBytes,
  bytes: Uint8Array,
  at: number,
  start: number,
  end: number,
  scratch: Scratch,
): number {
  const out = scratch.reserve(end - start);
  const first = at + from;
  for (let place = start; place < end; place++) {
    const seen = bytes[place] ?? 0;
    out[place - start] = place < first ? seen : (seen - byte) & 0xff;
  }
  return end - start;
}

/** In words, for `describe`. */
export const addedInWords = (add: AddedBytes | undefined): readonly string[] =>
  add === undefined ? [] : [`0x${add.byte.toString(16).padStart(2, '0')} added from ${add.from}`];
