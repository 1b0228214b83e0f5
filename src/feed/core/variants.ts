import { isMessages } from '../../contract/wire/index.ts';
import type { PastEvent } from './event-log.ts';

/** The events without what comes only on request, made once for each. */
const brief = new WeakMap<PastEvent, PastEvent>();

/**
 * An event as it is sent to subscribers that did not ask for `raw`; the same object where it has none. There are two
 * variants of an event at most, each of which is made and encoded once, and only if a subscriber gets it.
 */
export function withoutRaw<Event extends PastEvent>(event: Event): Event {
  if (event.kind !== 'event' || event.data.raw === undefined || !isMessages(event.topic)) return event;
  const known = brief.get(event);
  // It was made of an event of the same kind.
  if (known !== undefined) return known as Event;
  const { raw: _, ...data } = event.data;
  const made: Event = { ...event, data };
  brief.set(event, made);
  return made;
}
