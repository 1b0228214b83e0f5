import { DEFAULT_MAX_PAYLOAD, type SyncFraming } from './declaration.ts';
import type { Framing } from './framing.ts';
import { encodeLayout, lengthType, makeLayout } from './layout.ts';
import { LayoutDecoder } from './layout-decoder.ts';
import { bytesInWords, inWords } from './words.ts';

/** Frames that begin with a sync word and say how long they are; whatever is none is searched for the next sync word. */
export function makeSyncFraming(declaration: SyncFraming): Framing {
  const { sync, length, at = sync.length, adjust = 0, checksum, trailer } = declaration;
  const maxPayload = declaration.maxFrame ?? DEFAULT_MAX_PAYLOAD.sync;
  const place = { at, ...lengthType(length) };
  const layout = makeLayout({
    sync,
    length: place,
    adjust,
    checksum,
    trailer,
    maxPayload,
    id: declaration.id,
  });
  return {
    describe: inWords(declaration, [bytesInWords(sync), `${length} at ${at}`]),
    needsSilence: false,
    maxPayload,
    makeDecoder: (sink) => new LayoutDecoder(layout, sink, 'slide'),
    encode: (payload) => encodeLayout(layout, payload),
  };
}
