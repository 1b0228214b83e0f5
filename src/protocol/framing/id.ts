import { DEFAULT_MAX_PAYLOAD, type IdFraming } from './declaration.ts';
import type { Framing } from './framing.ts';
import { encodeLayout, makeLayout } from './layout.ts';
import { LayoutDecoder } from './layout-decoder.ts';
import { syncWords } from './sync-word.ts';
import { inWords } from './words.ts';

/** Frames without a length: the id of a message says how long it is, by a table or by the declared messages. */
export function makeIdFraming(declaration: IdFraming): Framing {
  const { sync, preamble, lengths, checksum, trailer, id } = declaration;
  const maxPayload = declaration.maxFrame ?? DEFAULT_MAX_PAYLOAD.id;
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
