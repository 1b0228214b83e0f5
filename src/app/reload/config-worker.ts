// The thread of a `ConfigReader`: reads and checks one configuration, and sends it part by part, or
// works out what an entry makes of it.
import { parentPort, workerData } from 'node:worker_threads';
import { planAddition, readConfig } from '../../config/index.ts';
import { HeartwireError } from '../../errors.ts';
import { partsOf, type WorkerReply, type WorkerTask } from './config-reader.ts';

async function* replies({ path, name, addition }: WorkerTask): AsyncGenerator<WorkerReply> {
  try {
    if (addition !== undefined) {
      yield { planned: await planAddition(path, name, addition) };
      return;
    }
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
