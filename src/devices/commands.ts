import type { FeedErrorCode } from '../contract/feed/index.ts';
import type { CommandOutcome, FeedCommand } from '../contract/index.ts';
import type { Json } from '../contract/wire/index.ts';
import type { ErrorCode } from '../errors.ts';
import { bytesOf, type MessageDeclaration } from '../protocol/index.ts';
import type { BusRunner } from './bus-runner.ts';
import type { RequestOutcome } from './core/session-events.ts';
import type { DeviceDirectory } from './device-directory.ts';
import type { DeviceRunner } from './device-runner.ts';

/** What commands go to. */
export interface CommandTargets {
  readonly directory: DeviceDirectory;
  bus(id: string): BusRunner | undefined;
}

/**
 * Performs a subscriber's command: a built-in or declared request, sent at once or not at all; or one to all devices of
 * a bus, by its id.
 */
export async function performCommand(targets: CommandTargets, command: FeedCommand): Promise<CommandOutcome> {
  const { device, message, fields, timeoutMs } = command;
  const runner = targets.directory.get(device);
  const line = runner === undefined ? targets.bus(device) : undefined;
  if (line !== undefined) {
    if (message === RAW) return sendRaw(line, fields);
    if (message === DESCRIBE) return described(line.broadcastDeclarations);
    return outcomeOf(await line.broadcast(message, fields, timeoutMs));
  }
  if (runner === undefined) {
    return refusal('device_unknown', `There is no device ${device}; GET /api/devices lists them.`);
  }
  if (message === RAW) return sendRaw(runner, fields);
  if (message === DESCRIBE) return described(runner.messages?.declarations ?? []);
  return outcomeOf(await runner.request(message, fields, timeoutMs));
}

function outcomeOf(outcome: RequestOutcome): CommandOutcome {
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

/** Sends bytes as they are; a name that no declared message can have. */
const RAW = '$raw';

/** Reports what the device speaks, as it is declared. */
const DESCRIBE = '$messages';

function described(declarations: readonly MessageDeclaration[]): CommandOutcome {
  // Declarations came out of a file and hold nothing that JSON has not.
  const messages = JSON.parse(JSON.stringify(declarations)) as Json;
  return { ok: true, result: { messages } };
}

function sendRaw(runner: Pick<DeviceRunner, 'sendBytes'>, fields: FeedCommand['fields']): CommandOutcome {
  const bytes = bytesOf(fields.data);
  if (bytes === undefined || bytes.length === 0) {
    return refusal('bad_field_value', `${RAW} takes \`data\`: bytes as "0x0a0b" or {"$bytes": base64}.`);
  }
  const outcome = runner.sendBytes(bytes);
  if (outcome === 'accepted') return { ok: true, result: { fields: {}, sent_bytes: bytes.length } };
  const detail =
    outcome === 'link_not_open' ? 'The device has no open link.' : 'The link does not take more now.';
  return { ok: false, code: outcome, message: detail, retry: true };
}

/** The same command will fail again. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['bad_field_value', 'message_unknown', 'request_not_allowed']);

const refusal = (code: ErrorCode | FeedErrorCode, message: string): CommandOutcome => ({
  ok: false,
  code,
  message,
  retry: false,
});
