import type { Instant } from '../../instant.ts';
import type { EventChange } from './change.ts';
import type { Gap } from './event-log.ts';

/** Keeps events for longer than the store does: what a client missed is read there before a gap is reported to it. */
export interface PastEvents {
  /** Events of this topic are kept. */
  keeps(topic: string): boolean;
  /** Calls once, later, with those of the gap that are there, in their order; also where reading failed. */
  read(gap: Gap, done: (events: readonly EventChange[], now: Instant) => void): void;
}

/** What of a gap is still missing once these events of it are there, in their order. */
export function missingOf(gap: Gap, events: readonly EventChange[]): Gap[] {
  const missing: Gap[] = [];
  let from = gap.fromSeq;
  let { rev } = gap;
  for (const event of events) {
    if (event.seq > from) missing.push({ ...gap, fromSeq: from, toSeq: event.seq - 1, rev });
    from = event.seq + 1;
    rev = event.rev + 1;
  }
  if (from <= gap.toSeq) missing.push({ ...gap, fromSeq: from, rev });
  return missing;
}
