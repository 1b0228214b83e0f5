import type { KeyTable } from '../keys.ts';
import { checkLength } from './check-layout.ts';
import type { Framing } from './framing.ts';
import { DEFAULT_MAX_FRAME, type FramingOf, LENGTH_KEYS, maxFrame, TAIL_KEYS } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { encodeLayout, lengthPlace, makeLayout } from './layout.ts';
import { LayoutDecoder } from './layout-decoder.ts';
import { layoutLocation } from './locate.ts';
import { luaLayout } from './lua.ts';
import { inWords } from './words.ts';

const KEYS = {
  ...LENGTH_KEYS,
  ...TAIL_KEYS,
  max_frame: maxFrame(DEFAULT_MAX_FRAME),
} as const satisfies KeyTable;

export type LengthFraming = FramingOf<'length', typeof KEYS>;

/**
 * Frames that begin with a length, perhaps behind other bytes. A stream ends with the first length that cannot be; a
 * serial line slides on where a checksum, a trailer or a judge can prove a frame, and else waits for silence.
 */
function makeLengthFraming(declaration: LengthFraming): Framing {
  const { length, at = 0, adjust = 0, again, checksum, trailer, id } = declaration;
  const maxPayload = declaration.maxFrame ?? DEFAULT_MAX_FRAME;
  const place = lengthPlace(declaration, at);
  const sync = undefined;
  const layout = makeLayout({ sync, length: place, again, adjust, checksum, trailer, maxPayload, id });
  const provable = layout.checksum !== undefined || layout.trailer.length > 0;
  return {
    describe: inWords(declaration, [`${length} at ${at}`]),
    needsSilence: false,
    varies: place.kind === 'varint',
    maxPayload,
    layout,
    makeDecoder(sink, { line, judge }) {
      if (line === 'stream') return new LayoutDecoder(layout, sink, 'close', judge);
      if (provable) return new LayoutDecoder(layout, sink, 'slide');
      return new LayoutDecoder(layout, sink, judge === undefined ? 'silence' : 'slide', judge);
    },
    encode: (payload) => encodeLayout(layout, payload),
  };
}

export const LENGTH = {
  keys: KEYS,
  make: makeLengthFraming,
  check: checkLength,
  isAmongOthers: true,
  luaUnwrap: (declaration: LengthFraming) => luaLayout(makeLengthFraming(declaration).layout),
  locate: (declaration: LengthFraming, wire, payload) =>
    layoutLocation(makeLengthFraming(declaration).layout, wire, payload),
} as const satisfies FramingType<LengthFraming>;
