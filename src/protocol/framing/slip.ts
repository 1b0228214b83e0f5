import { findByte } from './find-bytes.ts';
import type { FramingOf } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { firstFit } from './locate.ts';
import { type STUFFED_KEYS, stuffedFraming } from './stuffed-framing.ts';

export type SlipFraming = FramingOf<'slip', typeof STUFFED_KEYS>;

const END = 0xc0;
const ESC = 0xdb;
const ESC_END = 0xdc;
const ESC_ESC = 0xdd;

/** How many bytes the content is, or -1 where an escape stands for nothing. */
function unescapeSlip(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let to = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte !== ESC) {
      target[to++] = byte;
      continue;
    }
    const escaped = ++at < end ? bytes[at] : undefined;
    if (escaped !== ESC_END && escaped !== ESC_ESC) return -1;
    target[to++] = escaped === ESC_END ? END : ESC;
  }
  return to;
}

function escapeSlip(sealed: Uint8Array): Uint8Array {
  let special = 0;
  for (const byte of sealed) if (byte === END || byte === ESC) special++;
  const frame = new Uint8Array(sealed.length + special + 2);
  let to = 0;
  frame[to++] = END;
  for (const byte of sealed) {
    if (byte === END || byte === ESC) {
      frame[to++] = ESC;
      frame[to++] = byte === END ? ESC_END : ESC_ESC;
    } else frame[to++] = byte;
  }
  frame[to] = END;
  return frame;
}

const LUA = [
  'local at = 0',
  'while at < buf:len() do',
  '  local byte = buf(at, 1):uint()',
  '  if byte == 0xdb then',
  '    at = at + 1',
  '    if at == buf:len() then return end',
  '    put(buf(at, 1):uint() == 0xdc and 0xc0 or 0xdb)',
  '  elseif byte ~= 0xc0 then',
  '    put(byte)',
  '  end',
  '  at = at + 1',
  'end',
];

/** SLIP (RFC 1055): END (c0) behind every frame and, when we send, in front of it, which ends whatever noise came before. */
export const SLIP = stuffedFraming<SlipFraming>({
  delimiter: END,
  expected: 'escaped as db dc or db dd',
  maxBytes: (count) => 2 * count,
  isPlain: (bytes, start, end) => findByte(bytes, start, end, ESC) === end,
  unstuff: unescapeSlip,
  stuff: escapeSlip,
  locate: (wire, payload) =>
    firstFit(wire, payload, 0, () => (at) => {
      const byte = wire[at] ?? -1;
      if (byte !== ESC) return [byte, 1];
      const escaped = wire[at + 1];
      return [escaped === ESC_END ? END : escaped === ESC_ESC ? ESC : -1, 2];
    }),
  lua: LUA,
}) satisfies FramingType<SlipFraming>;
