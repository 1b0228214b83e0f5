import { FileSender, type FileToSend, type SendProgress, type SendStep } from '../device/file-sender.ts';
import type { RequestOutcome } from '../device/session-events.ts';
import { HeartwireError } from '../errors.ts';
import { bytesValue, type Values } from '../protocol/declared/value.ts';
import type { Clock } from './clock.ts';

/** A file that is read piece by piece. */
export interface FileSource {
  /** In bytes. */
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface UploadOptions {
  readonly source: FileSource;
  /** The chunk message, and how much one of them carries. */
  readonly message: string;
  readonly chunkBytes: number;
  /** The number that ties the chunks together. */
  readonly transfer: number;
  readonly clock: Clock;
  /** One request of the device, sent at once or not at all. */
  request(message: string, fields: Values): Promise<RequestOutcome>;
  progressed?(progress: SendProgress): void;
  /** So long without an acknowledged chunk, and it is given up; 60 s by default. */
  readonly stallLimitMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Sends a file to a device, one chunk after the other, over links that may come and go meanwhile; holds one chunk of
 * it at a time.
 *
 * @throws HeartwireError `transfer_refused`, `transfer_stalled`, or the code with which a chunk could not be sent;
 *   the signal's reason where it is aborted.
 */
export async function uploadFile(options: UploadOptions): Promise<SendProgress> {
  const { source, transfer, chunkBytes, clock, signal, stallLimitMs = 60_000 } = options;
  const file: FileToSend = { transfer, size: source.size, chunkBytes, stallLimitMs };
  const sender = new FileSender(file, clock.now().monoMs);
  for (;;) {
    signal?.throwIfAborted();
    const step = sender.next(clock.now().monoMs);
    switch (step.do) {
      case 'done':
        return sender.progress;
      case 'failed':
        throw new HeartwireError(step.code, capital(step.detail), {
          mend: "Look at the device's state, then send the file again.",
        });
      case 'wait':
        await waitUntil(step.until, clock, signal);
        break;
      case 'send':
        sender.settled(await sendChunk(step, options), clock.now().monoMs);
        options.progressed?.(sender.progress);
        break;
    }
  }
}

async function sendChunk(
  { index, total, offset, length }: Extract<SendStep, { do: 'send' }>,
  { source, message, transfer, request }: UploadOptions,
): Promise<RequestOutcome> {
  const data = await source.read(offset, length);
  return request(message, { transfer, index, total, data: bytesValue(data) });
}

function waitUntil(monoMs: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setTimer(monoMs, end);
    signal?.addEventListener('abort', end, { once: true });
  });
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
