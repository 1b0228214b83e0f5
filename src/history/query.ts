import type { EventKind } from './batch.ts';

/** Values of one field; times in epoch ms, `from <= t < to`. */
export interface ValuesQuery {
  readonly device: string;
  readonly field: string;
  readonly from: number;
  readonly to: number;
  /** At most so many points, thinned where there are more; `all`: as they are kept, in parts. */
  readonly points: number | 'all';
}

export interface EventsQuery {
  /** Absent: all that the patterns cover. */
  readonly device?: string | undefined;
  readonly kinds?: readonly EventKind[] | undefined;
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  /** Older than this place, as an answer named it. */
  readonly before?: readonly [t: number, id: number] | undefined;
  /** What may be read: patterns of topics. */
  readonly topics: readonly string[];
}

/** Alarms as the feed sent them, for a subscriber that missed them. */
export interface PastQuery {
  readonly device: string;
  readonly epoch: string;
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** What is asked of the thread. */
export type Query =
  | ({ readonly kind: 'values' } & ValuesQuery)
  | ({ readonly kind: 'events' } & EventsQuery)
  | ({ readonly kind: 'past' } & PastQuery)
  | { readonly kind: 'devices'; readonly device?: string | undefined; readonly topics: readonly string[] };

/** Points of one part of an answer to `points: 'all'`. */
export const PART_POINTS = 50_000;
/** Past events that are read for one gap; the newest of it. */
export const MOST_PAST = 5_000;
/** Rows that are read for one answer, whatever the rights leave of them. */
export const READ_EVENTS = 50_000;

/** The topic that shows the same as an event of the history: who may read it may read that. */
export function topicOf(kind: string, device: string): string {
  if (device === '') return 'bridge/status';
  if (kind === 'alarm') return `devices/${device}/alarms`;
  return kind === 'command' ? `devices/${device}/messages` : `devices/${device}/state`;
}
