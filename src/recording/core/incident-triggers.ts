import type { AlarmEvent, IncidentReason, StateDocument } from '../../contract/feed/index.ts';
import type { RequestOutcome } from '../../devices/index.ts';
import { MinuteCount, TokenBucket } from '../../system/index.ts';

/** Why what a device said is kept. */
export interface Trigger {
  readonly reason: IncidentReason;
  /** A code of docs/reference/errors.md, where there is one. */
  readonly code?: string | undefined;
  /** For people. */
  readonly detail: string;
}

/** A burst of discarded bytes: so many reports or bytes within so long. */
const BURST_MS = 10_000;
const BURST_REPORTS = 8;
const BURST_BYTES = 2_048;
/** A line that is always bad is one incident: between two of them it was better for so long. */
const BETTER_MS = 60_000;

/** Reasons of a device that is not there because the bridge wants it so. */
const WANTED: ReadonlySet<string> = new Set(['stopped', 'reconfigured', 'removed', 'bridge_restarted']);

/** Commands that fail by these never reached the device: what it said does not explain them. */
const NOT_OF_THE_DEVICE: ReadonlySet<string> = new Set([
  'bad_field_value',
  'device_not_online',
  'device_unknown',
  'internal_error',
  'link_not_open',
  'link_queue_full',
  'message_unknown',
  'request_busy',
  'request_not_allowed',
  ...WANTED,
]);

/** What of the life of one device is an incident. */
export class DeviceTriggers {
  #status: StateDocument['status'] | undefined;
  #burstFrom = Number.NEGATIVE_INFINITY;
  #burstAt = Number.NEGATIVE_INFINITY;
  #reports = 0;
  #bytes = 0;

  /** It was there, and is not any more. */
  state({
    status,
    reason,
    detail,
  }: Pick<StateDocument, 'status' | 'reason' | 'detail'>): Trigger | undefined {
    const before = this.#status;
    this.#status = status;
    if (status !== 'offline' || before === undefined || before === status || before === 'unknown')
      return undefined;
    // A device that never came so far was not lost.
    if (before === 'registering' || (reason !== undefined && WANTED.has(reason))) return undefined;
    return { reason: 'offline', code: reason, detail: detail ?? `it was ${before}, and is offline` };
  }

  discarded(count: number, reason: string, monoMs: number): Trigger | undefined {
    if (monoMs - this.#burstFrom > BURST_MS) {
      this.#burstFrom = monoMs;
      this.#reports = 0;
      this.#bytes = 0;
    }
    this.#reports += 1;
    this.#bytes += count;
    if (this.#reports < BURST_REPORTS && this.#bytes < BURST_BYTES) return undefined;
    const before = this.#burstAt;
    this.#burstAt = monoMs;
    if (monoMs - before <= BETTER_MS) return undefined;
    const seconds = ((monoMs - this.#burstFrom) / 1_000).toFixed(1);
    const detail = `${this.#bytes} bytes in ${this.#reports} pieces were discarded within ${seconds} s (${reason})`;
    return { reason: 'discards', code: 'discarded', detail };
  }

  alarm(alarm: AlarmEvent): Trigger | undefined {
    if (alarm.level !== 'alarm' || alarm.cleared) return undefined;
    return { reason: 'alarm', detail: alarmText(alarm) };
  }

  command(message: string, outcome: RequestOutcome): Trigger | undefined {
    if (outcome.ok) {
      const { error = 0, errorName } = outcome;
      if (error === 0) return undefined;
      const detail = `${message}: the device answered with error ${error}${errorName === undefined ? '' : ` (${errorName})`}`;
      return { reason: 'command_failed', detail };
    }
    if (NOT_OF_THE_DEVICE.has(outcome.code)) return undefined;
    return { reason: 'command_failed', code: outcome.code, detail: `${message}: ${outcome.detail}` };
  }
}

/** `telemetry.temperature is above 40 °C: 41.2 °C`. */
export function alarmText(alarm: AlarmEvent): string {
  const { message, field, level, value, limit, direction, unit, cleared } = alarm;
  const with_ = (each: number): string => `${each}${unit === undefined ? '' : ` ${unit}`}`;
  const where = `${message}.${field}`;
  if (cleared) return `${where} is good again: ${with_(value)}`;
  return `${where} is ${direction} ${with_(limit)} (${level}): ${with_(value)}`;
}

/** Of one device: so many incidents at once, and then one in so long. */
const AT_ONCE = 4;
const ONE_IN_MS = 5 * 60_000;
/** Of all devices. */
const ALL_AT_ONCE = 20;
const ALL_ONE_IN_MS = 5_000;
/** Devices that may have a count of their own; of more, those that had none for the longest are forgotten. */
const MOST_COUNTED = 10_000;
/** What people ask for, per minute: of all devices. */
const MOST_NOTES = 60;

/** `often`: the device has had enough of them for now. `many`: so have all devices together. */
export type Verdict = 'take' | 'often' | 'many';

/** Keeps incidents few: a device that comes and goes, or a switch that takes a thousand devices along, fills no disk. */
export class IncidentRate {
  readonly #devices = new Map<string, TokenBucket>();
  readonly #all = new TokenBucket(1_000 / ALL_ONE_IN_MS, ALL_AT_ONCE);
  readonly #notes = new MinuteCount(MOST_NOTES);

  /** A note is asked for by a person, and is not held against what happens by itself. */
  judge(box: string, reason: IncidentReason, monoMs: number): Verdict {
    if (reason === 'note') return this.#notes.add(monoMs) ? 'take' : 'many';
    let device = this.#devices.get(box);
    this.#devices.delete(box);
    device ??= new TokenBucket(1_000 / ONE_IN_MS, AT_ONCE);
    this.#devices.set(box, device);
    if (this.#devices.size > MOST_COUNTED) {
      const [oldest] = this.#devices.keys();
      if (oldest !== undefined) this.#devices.delete(oldest);
    }
    if (!device.take(monoMs)) return 'often';
    return this.#all.take(monoMs) ? 'take' : 'many';
  }
}
