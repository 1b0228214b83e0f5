import type { ErrorCode } from '../errors.ts';
import type { CommandOutcome, FeedCommand } from '../feed/command.ts';
import type { FeedErrorCode } from '../feed/wire/feed-error.ts';
import type { DeviceDirectory } from './device-directory.ts';

/** Performs a subscriber's command: a built-in or declared request, sent at once or not at all. */
export async function performCommand(
  directory: DeviceDirectory,
  command: FeedCommand,
): Promise<CommandOutcome> {
  const { device, message, fields, timeoutMs } = command;
  const runner = directory.get(device);
  if (runner === undefined) {
    return refusal('device_unknown', `There is no device ${device}; GET /api/devices lists them.`);
  }
  const outcome = await runner.request(message, fields, timeoutMs);
  if (!outcome.ok) {
    return { ok: false, code: outcome.code, message: outcome.detail, retry: !FINAL.has(outcome.code) };
  }
  const roundTripMs = Math.round(outcome.roundTripMs * 10) / 10;
  const { error, errorName, observed } = outcome;
  return {
    ok: true,
    result: {
      ...(error === undefined ? {} : { error }),
      ...(errorName === undefined ? {} : { error_name: errorName }),
      fields: { ...outcome.fields },
      round_trip_ms: roundTripMs,
      ...(observed === undefined ? {} : { observed }),
    },
  };
}

/** The same command will fail again. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['bad_field_value', 'message_unknown', 'request_not_allowed']);

const refusal = (code: ErrorCode | FeedErrorCode, message: string): CommandOutcome => ({
  ok: false,
  code,
  message,
  retry: false,
});
