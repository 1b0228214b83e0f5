import type { KeyTable } from '../keys.ts';
import { addedInWords } from './added-bytes.ts';
import { checkSync } from './check-layout.ts';
import type { Framing } from './framing.ts';
import { add, type FramingOf, LENGTH_KEYS, maxFrame, preamble, sync, TAIL_KEYS } from './framing-keys.ts';
import type { FramingType } from './framing-type.ts';
import { encodeLayout, lengthPlace, makeLayout } from './layout.ts';
import { LayoutDecoder } from './layout-decoder.ts';
import { layoutLocation } from './locate.ts';
import { luaLayout } from './lua.ts';
import { syncWords } from './sync-word.ts';
import { inWords } from './words.ts';

/** The longest payload in bytes, where a declaration says none. */
const MAX_PAYLOAD = 65_536;

const KEYS = {
  sync: { ...sync, required: true },
  preamble,
  ...LENGTH_KEYS,
  add,
  ...TAIL_KEYS,
  max_frame: maxFrame(MAX_PAYLOAD),
} as const satisfies KeyTable;

export type SyncFraming = FramingOf<'sync', typeof KEYS>;

/** Frames that begin with a sync word and say how long they are; whatever is none is searched for the next sync word. */
function makeSyncFraming(declaration: SyncFraming): Framing {
  const { sync, length, adjust = 0, again, add, checksum, trailer, preamble } = declaration;
  const words = syncWords(sync);
  const { at = words.length } = declaration;
  const maxPayload = declaration.maxFrame ?? MAX_PAYLOAD;
  const place = lengthPlace(declaration, at);
  const { id } = declaration;
  const layout = makeLayout({
    preamble,
    sync,
    length: place,
    again,
    adjust,
    add,
    checksum,
    trailer,
    maxPayload,
    id,
  });
  return {
    describe: inWords(declaration, [words.inWords, `${length} at ${at}`, ...addedInWords(add)]),
    needsSilence: false,
    varies: place.kind === 'varint' || preamble !== undefined || checksum?.extraById !== undefined,
    maxPayload,
    layout,
    makeDecoder: (sink) => new LayoutDecoder(layout, sink, 'slide'),
    encode: (payload) => encodeLayout(layout, payload),
  };
}

export const SYNC = {
  keys: KEYS,
  make: makeSyncFraming,
  check: checkSync,
  isAmongOthers: true,
  luaUnwrap: (declaration: SyncFraming) => luaLayout(makeSyncFraming(declaration).layout),
  locate: (declaration: SyncFraming, wire, payload) =>
    layoutLocation(makeSyncFraming(declaration).layout, wire, payload),
} as const satisfies FramingType<SyncFraming>;
