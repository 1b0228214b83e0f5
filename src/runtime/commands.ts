import type { ErrorCode } from '../errors.ts';
import type { CommandOutcome, FeedCommand } from '../feed/command.ts';
import type { FeedErrorCode } from '../feed/wire/feed-error.ts';
import type { DeviceDirectory } from './device-directory.ts';

/** Performs a subscriber's command: a request of the built-in protocol, sent at once or not at all. */
export async function performCommand(
  directory: DeviceDirectory,
  command: FeedCommand,
): Promise<CommandOutcome> {
  const { device, message, fields, timeoutMs } = command;
  const runner = directory.get(device);
  if (runner === undefined) {
    return refusal('device_unknown', `There is no device ${device}; GET /api/devices lists them.`);
  }
  if (message !== 'heartbeat' && message !== 'datetime') {
    return refusal('message_unknown', `${message} can't be sent; heartbeat and datetime can.`);
  }
  const [field] = Object.keys(fields);
  if (field !== undefined) return refusal('bad_field', `${message} has no field ${field}; it takes none.`);
  const outcome = await runner.request(message, timeoutMs);
  if (!outcome.ok) {
    const retry = outcome.code !== 'request_not_allowed';
    return { ok: false, code: outcome.code, message: outcome.detail, retry };
  }
  const roundTripMs = Math.round(outcome.roundTripMs * 10) / 10;
  return {
    ok: true,
    result: { error: outcome.error, fields: { ...outcome.fields }, round_trip_ms: roundTripMs },
  };
}

const refusal = (code: ErrorCode | FeedErrorCode, message: string): CommandOutcome => ({
  ok: false,
  code,
  message,
  retry: false,
});
