import type { SessionSettings } from '../../config/index.ts';
import type { ClockEstimate } from './clock-estimate.ts';
import type { ReceivedFiles, ReceiverLimits } from './file-receiver.ts';
import type { LocalTime } from './link-protocol.ts';
import type { Measurements } from './measurements.ts';
import type { MessageCatalog } from './message-catalog.ts';
import type { SequenceNumbers } from './sequence-numbers.ts';
import type { Effect } from './session-events.ts';
import type { StateAxes } from './state-document.ts';
import type { Stats } from './stats.ts';

/** What a session needs of the world, handed in so that it stays pure. */
export interface SessionPorts {
  /** In [0, 1). */
  readonly random: () => number;
  readonly localTime: LocalTime;
  /** Epoch ms of a local time of the peer's, the nearest to `nearWallMs` where there are two; undefined where there is none. */
  readonly parseLocalTime: (
    text: string,
    timeZone: string | undefined,
    nearWallMs: number,
  ) => number | undefined;
  /** What the device speaks besides the built-in messages; absent where nothing else is declared. */
  readonly messages?: MessageCatalog;
  /** Whether every sample of a value is wanted now, also where it is the one of before. */
  readonly wantsSamples?: () => boolean;
  /** A trace is played: when the link is opened again is for the trace to say. */
  readonly replayed?: boolean;
  /** Files of devices are wanted, within these limits. */
  readonly files?: ReceiverLimits;
}

/** What outlives a link, shared by a session and the protocol of its present link. */
export interface SessionContext {
  readonly settings: SessionSettings;
  readonly ports: SessionPorts;
  readonly axes: StateAxes;
  readonly stats: Stats;
  /** What the device last said of itself. */
  readonly measurements: Measurements;
  /** Absent where the device sends no files, or they are not wanted. */
  readonly files: ReceivedFiles | undefined;
  clock: ClockEstimate | undefined;
  /** The numbers of what we send; absent where messages carry none. */
  readonly numbers: SequenceNumbers | undefined;
  /** A valid frame came since the start. */
  seen: boolean;
  /** Adds to the effects of the event in hand. */
  emit(effect: Effect): void;
  /** An exchange succeeded: back-off starts from its first step. */
  succeeded(): void;
}
