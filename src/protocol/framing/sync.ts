import { addedInWords } from './added-bytes.ts';
import { DEFAULT_MAX_PAYLOAD, type SyncFraming } from './declaration.ts';
import type { Framing } from './framing.ts';
import { encodeLayout, lengthPlace, makeLayout } from './layout.ts';
import { LayoutDecoder } from './layout-decoder.ts';
import { syncWords } from './sync-word.ts';
import { inWords } from './words.ts';

/** Frames that begin with a sync word and say how long they are; whatever is none is searched for the next sync word. */
export function makeSyncFraming(declaration: SyncFraming): Framing {
  const { sync, length, adjust = 0, again, add, checksum, trailer, preamble } = declaration;
  const words = syncWords(sync);
  const { at = words.length } = declaration;
  const maxPayload = declaration.maxFrame ?? DEFAULT_MAX_PAYLOAD.sync;
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
