import { HeartwireError } from '../../errors.ts';
import type { Clock } from '../../system/clock.ts';
import { chunkMessage } from '../core/chunk-message.ts';
import type { SendProgress } from '../core/file-sender.ts';
import { STOPPED } from '../core/stop-reason.ts';
import type { DeviceRunner } from '../device-runner.ts';
import { type FileSource, type UploadOptions, uploadFile } from './file-upload.ts';

export type SendFileOptions = Pick<UploadOptions, 'progressed' | 'stallLimitMs' | 'signal'> & {
  /** 1 where it is left out. */
  readonly transfer?: number;
  /** How long one chunk waits for its acknowledgement; 5 s by default. */
  readonly timeoutMs?: number;
};

/**
 * Sends a file in the chunks that the device's messages declare. `present` is the device as it is later on: it may be
 * configured anew, or be gone.
 * @throws HeartwireError `message_unknown`, and as `uploadFile`
 */
export function sendFile(
  runner: DeviceRunner,
  present: () => DeviceRunner | undefined,
  source: FileSource,
  clock: Clock,
  { transfer = 1, timeoutMs = 5_000, ...options }: SendFileOptions,
): Promise<SendProgress> {
  const chunks = chunkMessage(runner.messages?.declarations ?? [], 'host');
  if (chunks === undefined) throw noChunks(runner.id);
  return uploadFile({
    ...options,
    source,
    clock,
    transfer,
    chunks,
    request: (message, fields) =>
      present()?.request(message, fields, timeoutMs) ??
      Promise.resolve({ ok: false, code: 'device_unknown', detail: STOPPED.removed }),
  });
}

/** Nothing that is declared could carry a file. */
export function noChunks(device: string): HeartwireError {
  return new HeartwireError('message_unknown', `No message of ${device} carries files.`, {
    fix: 'Declare one from the host with the fields transfer, index, total and data, and `reply: status`; docs/messages.md has an example.',
  });
}
