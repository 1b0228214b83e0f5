import { saveText } from '../parts/save.ts';
import { loadDecoder } from './decoder.ts';
import type { Record } from './record.ts';

/** Saves the chunks of a record as a trace, which replays and can be dropped again. */
export async function save(record: Record, name: string): Promise<void> {
  const { traceText } = await loadDecoder();
  const head = record.head.peek();
  const first = record.events[0]?.atUs ?? 0;
  const events = record.events.map((event) => ({ ...event, atUs: event.atUs - first }));
  const text = traceText({ ...head, startMs: head.startMs + Math.floor(first / 1_000) }, events);
  saveText(`${name.replace(/\.[^.]*$/, '')}.trace`, text);
}
