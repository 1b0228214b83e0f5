import type { DeclaredProtocol, Inspected, InspectedInput } from '../../../src/inspection/browser.ts';
import { loadDecoder } from './decoder.ts';
import type { Record } from './record.ts';

/** Larger files are not read: a browser would hold them several times. */
export const LARGEST_FILE = 256 * 1024 * 1024;
/** Decoding is interrupted so often, so that the page stays alive. */
const SLICE_MS = 12;

export class TooLarge extends Error {}

/** The bytes of a file; of a `.gz`, what is in it. */
export async function bytesOf(file: Blob & { readonly name?: string }): Promise<Uint8Array> {
  if (file.size > LARGEST_FILE) throw new TooLarge(file.name ?? '');
  const front = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  if (front[0] !== 0x1f || front[1] !== 0x8b) return new Uint8Array(await file.arrayBuffer());
  const unpacked = file.stream().pipeThrough(new DecompressionStream('gzip'));
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const reader = unpacked.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > LARGEST_FILE) throw new TooLarge(file.name ?? '');
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
}

/** Decodes an input into a record, in slices. `progress` gets the part that is done; false from it stops. */
export async function decodeInto(
  record: Record,
  input: InspectedInput,
  messages: DeclaredProtocol | undefined,
  progress: (part: number) => boolean,
): Promise<void> {
  const { defaultSilenceMs, fieldsOf, needsSilence, TraceInspector, withSilences } = await loadDecoder();
  const { head } = input;
  const inspector = new TraceInspector(head, messages);
  const events = needsSilence(head, messages)
    ? withSilences(input.events, defaultSilenceMs(head.meta.transport))
    : input.events;
  record.clear();
  record.head.value = head;
  record.protocol = inspector.protocol;
  record.fields = (item) => (item.kind === 'frame' ? fieldsOf(item, inspector.protocol) : []);
  record.events = [...input.events];
  record.warnings.value = input.warnings;
  let batch: Inspected[] = [];
  let until = performance.now() + SLICE_MS;
  for (const [index, event] of events.entries()) {
    for (const item of inspector.take(event)) batch.push(item);
    if (performance.now() < until) continue;
    record.add(batch, false);
    batch = [];
    if (!progress(index / events.length)) return;
    await new Promise((resolve) => setTimeout(resolve));
    until = performance.now() + SLICE_MS;
  }
  record.add([...batch, ...inspector.finish()], false);
  progress(1);
}
