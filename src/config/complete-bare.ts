import type { BareSettings } from '../contract/settings.ts';
import type { Values } from '../protocol/declared/value.ts';
import { durationMs } from './duration.ts';
import type { Finding, Path } from './problem.ts';
import type { DefaultsShape, DeviceShape } from './shape.ts';

type Given = Partial<DeviceShape>;

const SILENCE_MS = 10_000;
const POLLS_MISSED = 3;
const LATE_MS = 2_000;
const NEXT_REPLY_MS = 2_000;
/** How long a request waits for its reply where nothing is configured. */
export const DEFAULT_REQUEST_TIMEOUT = '5s';

/** Whether the device knows neither register nor heartbeat. */
export function isBare(given: Given, defaults: DefaultsShape): boolean {
  return (given.session ?? defaults.session) === 'none';
}

/** How a device without register and heartbeat lives; undefined for one of the built-in protocol. */
export function completeBare(
  own: Given,
  defaults: DefaultsShape,
  path: Path,
  add: (finding: Finding) => void,
): BareSettings | undefined {
  if (!isBare(own, defaults)) {
    for (const key of ['silence', 'poll', 'late_window', 'turnaround'] as const) {
      if (own[key] === undefined) continue;
      add({
        severity: 'warning',
        code: 'config_no_effect',
        path: [...path, key],
        atKey: true,
        message: `\`${key}\` has no effect on a device that registers and sends heartbeats.`,
        fix: 'Remove it, or add `session: none`.',
      });
    }
    return undefined;
  }
  const polls = (own.poll ?? defaults.poll ?? []).map(({ message, every, as, fields = {} }) => ({
    message,
    // Values of YAML are those of JSON; whether they fit is for the declaration of the message to say.
    fields: fields as Values,
    everyMs: durationMs(every),
    ...(as === undefined || as === message ? {} : { as }),
  }));
  const silence = own.silence ?? defaults.silence;
  const fastest = Math.min(...polls.map(({ everyMs }) => everyMs));
  const timeoutMs = durationMs(own.request_timeout ?? defaults.request_timeout ?? DEFAULT_REQUEST_TIMEOUT);
  const late = own.late_window ?? defaults.late_window;
  const lateMs = late === undefined ? Math.max(LATE_MS, Math.round(timeoutMs / 2)) : durationMs(late);
  // One lost reply does not make a device offline: the line is asked again once its reply can't come any more.
  const lostMs = timeoutMs + lateMs + NEXT_REPLY_MS;
  const byDefault = polls.length === 0 ? SILENCE_MS : Math.max(SILENCE_MS, fastest * POLLS_MISSED, lostMs);
  return {
    ...(silence === false ? {} : { silenceMs: silence === undefined ? byDefault : durationMs(silence) }),
    polls,
    ...(late === undefined && polls.length === 0 ? {} : { lateMs }),
    turnaroundMs: durationMs(own.turnaround ?? defaults.turnaround ?? '10ms'),
  };
}
