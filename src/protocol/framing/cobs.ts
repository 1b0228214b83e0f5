import type { FramingOf } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { type STUFFED_KEYS, stuffedFraming } from './stuffed-framing.ts';

export type CobsFraming = FramingOf<'cobs', typeof STUFFED_KEYS>;

/** Bytes behind one code byte at most. */
const LONGEST_RUN = 254;

/** Most bytes that so many become, without the delimiter. */
function stuffedBytes(count: number): number {
  return count + 1 + Math.floor(count / LONGEST_RUN);
}

/** How many bytes the content is, or -1 where a code byte points behind the end. */
function unstuff(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let at = start;
  let to = 0;
  while (at < end) {
    const code = bytes[at++] ?? 0;
    const next = at + code - 1;
    if (next > end) return -1;
    while (at < next) target[to++] = bytes[at++] ?? 0;
    if (code <= LONGEST_RUN && at < end) target[to++] = 0;
  }
  return to;
}

function stuff(sealed: Uint8Array): Uint8Array {
  const frame = new Uint8Array(stuffedBytes(sealed.length) + 1);
  let codeAt = 0;
  let to = 1;
  let code = 1;
  for (let at = 0; at < sealed.length; at++) {
    const byte = sealed[at] ?? 0;
    if (byte !== 0) {
      frame[to++] = byte;
      code++;
    }
    // A full run at the very end needs no code byte behind it.
    if (byte === 0 || (code > LONGEST_RUN && at + 1 < sealed.length)) {
      frame[codeAt] = code;
      codeAt = to++;
      code = 1;
    }
  }
  frame[codeAt] = code;
  return frame.slice(0, to + 1);
}

/** A code byte says how many bytes of content follow it; where it is less than 255, a zero stands behind them. */
function cobsStarts(wire: Uint8Array, payload: Uint8Array): readonly number[] | undefined {
  const starts: number[] = [];
  let at = 0;
  while (starts.length < payload.length) {
    const code = wire[at] ?? 0;
    if (code === 0 || at + code > wire.length) return undefined;
    for (let index = 1; index < code && starts.length < payload.length; index++) starts.push(at + index);
    at += code;
    // The zero that the next code byte stands for.
    if (code <= LONGEST_RUN && starts.length < payload.length) starts.push(at);
  }
  // A checksum may stand behind it.
  starts.push((starts.at(-1) ?? 0) + 1);
  const fits = payload.every((byte, index) => byte === 0 || wire[starts[index] ?? -1] === byte);
  return fits ? starts : undefined;
}

const LUA = [
  'local at, stop = 0, buf:len()',
  'while at < stop and buf(at, 1):uint() == 0 do at = at + 1 end',
  'while stop > at and buf(stop - 1, 1):uint() == 0 do stop = stop - 1 end',
  'while at < stop do',
  '  local code = buf(at, 1):uint()',
  '  if code == 0 or at + code > stop then return end',
  '  for index = at + 1, at + code - 1 do put(buf(index, 1):uint()) end',
  '  at = at + code',
  '  if code < 255 and at < stop then put(0) end',
  'end',
];

/** Consistent overhead byte stuffing: a payload has no zero byte on the wire, so that one can end it. */
export const COBS = stuffedFraming<CobsFraming>({
  delimiter: 0,
  expected: 'stuffed',
  maxBytes: stuffedBytes,
  isPlain: () => false,
  unstuff,
  stuff,
  locate: cobsStarts,
  lua: LUA,
}) satisfies FramingType<CobsFraming>;
