import { crc32 } from 'node:zlib';
import type { Values } from '../../contract/index.ts';
import { HeartwireError } from '../../errors.ts';
import { bytesValue } from '../../protocol/index.ts';
import type { Clock } from '../../system/index.ts';
import { type ChunkMessage, chunkMessage } from '../core/chunk-message.ts';
import { FileSender, type FileToSend, type SendProgress, type SendStep } from '../core/file-sender.ts';
import { type RequestOutcome, STOPPED } from '../core/session-events.ts';
import type { DeviceRunner } from '../device-runner.ts';

export type SendFileOptions = Pick<UploadOptions, 'progressed' | 'stallLimitMs' | 'signal'> & {
  /** 1 where it is left out. */
  readonly transfer?: number;
  /** How long one chunk waits for its acknowledgement; 5 s by default. */
  readonly timeoutMs?: number;
};

/**
 * Sends a file in the chunks that the device's messages declare. `present` gives the runner of the device later on:
 * the device may be reconfigured, or be gone.
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
    fix: 'Declare one from the host with the fields transfer, index, total and data, and `reply: status`; docs/reference/messages.md has an example.',
  });
}

const PIECE_BYTES = 65_536;

/** A file that is read piece by piece. */
export interface FileSource {
  /** In bytes. */
  readonly size: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

interface UploadOptions {
  readonly source: FileSource;
  /** The message that carries the chunks. */
  readonly chunks: ChunkMessage;
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
  const { source, transfer, chunks, clock, signal, stallLimitMs = 60_000 } = options;
  const { chunkBytes, saysSize, saysCrc } = chunks;
  const whole: Values = {
    ...(saysSize ? { size: source.size } : {}),
    ...(saysCrc ? { file_crc: await crcOf(source, signal) } : {}),
  };
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
          fix: "Look at the device's state, then send the file again.",
        });
      case 'wait':
        await waitUntil(step.until, clock, signal);
        break;
      case 'send':
        sender.settled(await sendChunk(step, options, whole), clock.now().monoMs);
        options.progressed?.(sender.progress);
        break;
    }
  }
}

async function sendChunk(
  { index, total, offset, length }: Extract<SendStep, { do: 'send' }>,
  { source, chunks, transfer, request }: UploadOptions,
  whole: Values,
): Promise<RequestOutcome> {
  const data = await source.read(offset, length);
  return request(chunks.name, { transfer, index, total, ...whole, data: bytesValue(data) });
}

/** The CRC-32 of a whole file, of which a piece at a time is held. */
async function crcOf(source: FileSource, signal: AbortSignal | undefined): Promise<number> {
  let crc = 0;
  for (let at = 0; at < source.size; at += PIECE_BYTES) {
    signal?.throwIfAborted();
    crc = crc32(await source.read(at, Math.min(PIECE_BYTES, source.size - at)), crc);
  }
  return crc;
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
