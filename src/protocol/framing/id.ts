import type { KeyTable } from '../keys.ts';
import { checkId } from './check-layout.ts';
import type { Framing } from './framing.ts';
import { type FramingOf, maxFrame, preamble, sync, TAIL_KEYS } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { encodeLayout, makeLayout } from './layout.ts';
import { LayoutDecoder } from './layout-decoder.ts';
import { layoutLocation } from './locate.ts';
import { luaLayout } from './lua.ts';
import { syncWords } from './sync-word.ts';
import { inWords } from './words.ts';

/** The longest payload in bytes, where a declaration says none. */
const MAX_PAYLOAD = 4096;

const KEYS = {
  lengths: {
    kind: 'numbers',
    least: 1,
    greatest: 65_536,
    description:
      'Bytes of the payload by the id of the message; left out, they are those of the declared messages, which have each a fixed size.',
    examples: [{ 1: 8, 2: 3 }],
  },
  sync,
  preamble,
  ...TAIL_KEYS,
  max_frame: maxFrame(MAX_PAYLOAD),
} as const satisfies KeyTable;

export type IdFraming = FramingOf<'id', typeof KEYS>;

/** Frames without a length: the id of a message says how long it is, by a table or by the declared messages. */
function makeIdFraming(declaration: IdFraming): Framing {
  const { sync, preamble, lengths, checksum, trailer, id } = declaration;
  const maxPayload = declaration.maxFrame ?? MAX_PAYLOAD;
  const all = 2 ** (8 * (id?.bytes ?? 1));
  const sizes =
    lengths === undefined
      ? undefined
      : new Map(Object.entries(lengths).map(([value, size]) => [((Number(value) % all) + all) % all, size]));
  const place = id ?? { at: 0, bytes: 1, order: 'big' };
  const layout = makeLayout({
    preamble,
    sync,
    length: undefined,
    adjust: 0,
    checksum,
    trailer,
    maxPayload,
    id: place,
    sizes,
  });
  const provable = layout.checksum !== undefined || layout.trailer.length > 0;
  return {
    describe: inWords(declaration, sync === undefined ? ['by id'] : [syncWords(sync).inWords, 'by id']),
    needsSilence: false,
    varies: preamble !== undefined,
    maxPayload,
    layout,
    makeDecoder: (sink, { judge }) =>
      new LayoutDecoder(layout, sink, 'slide', provable ? undefined : judge, judge),
    encode: (payload) => encodeLayout(layout, payload),
  };
}

export const ID = {
  keys: KEYS,
  make: makeIdFraming,
  check: checkId,
  isAmongOthers: true,
  luaUnwrap: (declaration: IdFraming) => luaLayout(makeIdFraming(declaration).layout),
  locate: (declaration: IdFraming, wire, payload) =>
    layoutLocation(makeIdFraming(declaration).layout, wire, payload),
} as const satisfies FramingType<IdFraming>;
