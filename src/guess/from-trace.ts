import type { TraceEvent } from '../trace/index.ts';
import type { Chunk } from './received.ts';

/** A silence that ends a burst; serial adapters hold bytes back for up to 16 ms, and senders pause as long. */
const SILENCE_US = 50_000;

/** What one side of a connection said, with the silences and the bytes of the other side between. */
export function chunksOf(events: readonly TraceEvent[], from: 'device' | 'host'): readonly Chunk[] {
  const wanted = from === 'device' ? 'in' : 'out';
  const chunks: Chunk[] = [];
  let begins = true;
  let lastUs = Number.NEGATIVE_INFINITY;
  for (const { atUs, fact } of events) {
    if (fact.kind === 'life' || ((fact.kind === 'in' || fact.kind === 'out') && fact.kind !== wanted)) {
      begins = true;
      continue;
    }
    if (fact.kind !== wanted) continue;
    chunks.push({ bytes: fact.bytes, begins: begins || atUs - lastUs >= SILENCE_US });
    begins = false;
    lastUs = atUs;
  }
  return chunks;
}
