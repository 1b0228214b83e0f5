import type { AlarmEvent, StateDocument, StatsDocument } from '../contract/feed/index.ts';
import type { Values } from '../contract/index.ts';
import type { RequestOutcome } from './core/session-events.ts';
import type { Tally } from './core/stats.ts';

/** Looks on at the life of one device, besides the bytes of its link; without influence on it. */
export interface DeviceObserver {
  /** With every document that is published; parts that are the same as before are the same objects. */
  state(document: StateDocument): void;
  alarm(alarm: AlarmEvent): void;
  /** A subscriber, or the library, asks for this. */
  asked(message: string, fields: Values): void;
  /** What became of it. */
  answered(message: string, outcome: RequestOutcome): void;
  /** An exception ended its session; a fresh one follows. */
  defect(detail: string): void;
}

/** One device as metrics see it. */
export interface DeviceReading {
  readonly id: string;
  readonly state: StateDocument;
  readonly counts: StatsDocument;
  readonly tally: Tally;
  readonly bytesOut: number;
}
