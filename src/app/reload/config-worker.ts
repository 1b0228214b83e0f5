// The thread of a `ConfigReader`: reads and checks one configuration, and hands it over part by part.
import { parentPort, workerData } from 'node:worker_threads';
import { readConfig } from '../../config/read.ts';
import { type ErrorCode, type ErrorDetails, HeartwireError } from '../../errors.ts';
import { type ConfigPart, partsOf } from './config-parts.ts';

/** What is to be read, and how problems name it. */
export interface WorkerTask {
  readonly path: string;
  readonly name: string;
}

/** An error that was foreseen, as it crosses to another thread. */
export interface CrossedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** What the thread says: the next part whenever it is asked for one. */
export type WorkerReply = { readonly next: ConfigPart } | { readonly error: CrossedError };

async function* replies({ path, name }: WorkerTask): AsyncGenerator<WorkerReply> {
  try {
    for (const next of partsOf(await readConfig(path, name))) yield { next };
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    const { code, message, seen, fix } = error;
    const details = { ...(seen === undefined ? {} : { seen }), ...(fix === undefined ? {} : { fix }) };
    yield { error: { code, message, details } };
  }
}

const port = parentPort;
if (port !== null) {
  // Only `ConfigReader` starts this file.
  const answers = replies(workerData as WorkerTask);
  port.on('message', () => {
    void answers.next().then(({ value, done }) => {
      if (done !== true) port.postMessage(value);
    });
  });
}
