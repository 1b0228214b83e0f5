import type {
  AlarmEvent,
  DeclarationDocument,
  StateDocument,
  StatsDocument,
} from '../contract/feed/index.ts';
import type { Values } from '../contract/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { describeMessages } from './core/describe-messages.ts';
import type { RequestOutcome } from './core/session-events.ts';
import type { Tally } from './core/stats.ts';

/**
 * Looks on at the life of one device, besides the bytes of its link; without influence on it. Synchronous, and never
 * waits for a disk or a network.
 */
export interface DeviceObserver {
  /** With every document that is published; parts that are the same as before are the same objects. */
  state?(document: StateDocument): void;
  /** The values of one message, by the name of their group in the state; also where they are those of before. */
  measured?(group: string, values: Values): void;
  alarm?(alarm: AlarmEvent): void;
  /** A subscriber, or the library, asks for this. */
  asked?(message: string, fields: Values): void;
  /** What became of it. */
  answered?(message: string, outcome: RequestOutcome): void;
  /** An exception ended its session; a fresh one follows. */
  defect?(detail: string): void;
  /** The device was stopped, for good or to be started again: nothing follows. */
  close?(): void;
}

/** What an observer knows of its device from the start. */
export interface ObservedDevice {
  readonly id: string;
  /** Describes the values of declared messages. */
  readonly fields: DeclarationDocument['fields'] | undefined;
  /** A trace says what it says: nothing of it was measured now. */
  readonly replay: boolean;
}

/** Gives each device an observer: the black box, the history, outputs. */
export interface ObserverFactory {
  /** Whether any of its observers takes `measured` now; without one samples are not even made. */
  wantsSamples(): boolean;
  /** Called once for each start of a device. */
  observe(device: ObservedDevice): DeviceObserver | undefined;
}

/** All observers of one device as one. */
export class DeviceObservers implements Required<DeviceObserver> {
  readonly #all: readonly DeviceObserver[];

  constructor(factories: readonly ObserverFactory[], device: ObservedDevice) {
    this.#all = factories.flatMap((factory) => factory.observe(device) ?? []);
  }

  state(document: StateDocument): void {
    for (const each of this.#all) each.state?.(document);
  }

  measured(group: string, values: Values): void {
    for (const each of this.#all) each.measured?.(group, values);
  }

  alarm(alarm: AlarmEvent): void {
    for (const each of this.#all) each.alarm?.(alarm);
  }

  asked(message: string, fields: Values): void {
    for (const each of this.#all) each.asked?.(message, fields);
  }

  answered(message: string, outcome: RequestOutcome): void {
    for (const each of this.#all) each.answered?.(message, outcome);
  }

  defect(detail: string): void {
    for (const each of this.#all) each.defect?.(detail);
  }

  close(): void {
    for (const each of this.#all) each.close?.();
  }
}

/** One device as metrics see it. */
export interface DeviceReading {
  readonly id: string;
  readonly state: StateDocument;
  readonly counts: StatsDocument;
  readonly tally: Tally;
  readonly bytesOut: number;
}

/** The observers of a device that speaks these messages. */
export function observersOf(
  factories: readonly ObserverFactory[],
  id: string,
  messages: DeclaredProtocol | undefined,
  replay: boolean,
): DeviceObservers {
  const fields = messages && describeMessages(messages.declaration).document.fields;
  return new DeviceObservers(factories, { id, fields, replay });
}
