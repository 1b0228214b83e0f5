import type { KeyTable } from '../keys.ts';
import { checkFixed } from './check-layout.ts';
import type { Framing } from './framing.ts';
import { type FramingOf, preamble, sync, TAIL_KEYS } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { encodeLayout, makeLayout } from './layout.ts';
import { LayoutDecoder } from './layout-decoder.ts';
import { layoutLocation } from './locate.ts';
import { luaLayout } from './lua.ts';
import { syncWords } from './sync-word.ts';
import { inWords } from './words.ts';

const KEYS = {
  length: {
    kind: 'number',
    least: 1,
    greatest: 65_536,
    required: true,
    description: 'Bytes of the whole frame, with sync word, checksum and trailer.',
  },
  sync,
  preamble,
  ...TAIL_KEYS,
} as const satisfies KeyTable;

export type FixedFraming = FramingOf<'fixed', typeof KEYS>;

/**
 * Frames that all have the same number of bytes. Without a sync word, checksum or trailer only silence can bring a line
 * into step; on a stream they are simply counted off.
 */
function makeFixedFraming(declaration: FixedFraming): Framing {
  const { length, checksum, trailer, preamble } = declaration;
  const sync = syncWords(declaration.sync);
  const layout = makeLayout({
    preamble,
    sync: declaration.sync,
    length: undefined,
    adjust: length,
    checksum,
    trailer,
    maxPayload: length,
    id: declaration.id,
  });
  const provable = sync.length > 0 || layout.checksum !== undefined || layout.trailer.length > 0;
  const words = [`${length} bytes`, ...(sync.length === 0 ? [] : [sync.inWords])];
  return {
    describe: inWords(declaration, words),
    needsSilence: false,
    varies: preamble !== undefined,
    layout,
    maxPayload: length - layout.payloadAt - layout.tailBytes,
    makeDecoder(sink, { line, judge }) {
      if (provable) return new LayoutDecoder(layout, sink, 'slide');
      if (judge === undefined || line === 'stream') return new LayoutDecoder(layout, sink, 'silence');
      return new LayoutDecoder(layout, sink, 'slide', judge);
    },
    encode: (payload) => encodeLayout(layout, payload),
  };
}

export const FIXED = {
  keys: KEYS,
  make: makeFixedFraming,
  check: checkFixed,
  isAmongOthers: true,
  luaUnwrap: (declaration: FixedFraming) => luaLayout(makeFixedFraming(declaration).layout),
  locate: (declaration: FixedFraming, wire, payload) =>
    layoutLocation(makeFixedFraming(declaration).layout, wire, payload),
} as const satisfies FramingType<FixedFraming>;
