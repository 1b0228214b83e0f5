import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { HistoryDatabase } from '../../src/history/history-database.ts';
import { PROJECT_ROOT } from './project-files.ts';

/** The compiled writer, wherever this file runs. */
const WRITER = fileURLToPath(new URL('dist/test/support/history-writer.js', `file://${PROJECT_ROOT}/`));

export interface KilledRun {
  /** Values of each field that are there, in their order. */
  readonly fields: readonly (readonly number[])[];
  /** How far the writer had counted. */
  readonly said: number;
  /** Between the last value that is there and the last word of the writer, in ms. */
  readonly missingMs: number;
  /** A damaged file was set aside. */
  readonly damaged: boolean;
}

/** Runs the writer, which counts on from `first`, kills it after so many of its words (50 a second), and reads what is there. */
export async function killWhileWriting(file: string, first: number, words: number): Promise<KilledRun> {
  const writer = spawn(process.execPath, [WRITER, file, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(writer, 'exit');
  let text = '';
  writer.stdout.setEncoding('utf8');
  writer.stdout.on('data', (chunk: string) => {
    text += chunk;
    if (text.split('\n').length > words) writer.kill('SIGKILL');
  });
  await exited;
  const [said = 0, saidAt = 0] = (text.trimEnd().split('\n').at(-1) ?? '').split(' ').map(Number);
  const database = new HistoryDatabase({
    file,
    epoch: 'reader',
    version: 'test',
    keepMs: 1e11,
    budgetBytes: 1e9,
  });
  const { setAside } = database.open(saidAt);
  let lastAt = 0;
  const fields = ['w', 'x', 'y', 'z'].map((field) => {
    const values: number[] = [];
    for (let from: number | undefined = 0; from !== undefined; ) {
      const query = {
        kind: 'values',
        device: 'd',
        field: `a.${field}`,
        from,
        to: saidAt + 60_000,
        points: 'all',
      } as const;
      // The shape of an answer to this kind of query.
      const answer = database.answer(query) as unknown as {
        points: [number, number, number, number][];
        next?: number;
      };
      // A part ends between two times; what has one time stays together.
      for (const [t, , , value] of answer?.points ?? []) {
        values.push(value);
        lastAt = Math.max(lastAt, t);
      }
      from = answer?.next;
    }
    return values;
  });
  database.close(saidAt);
  return { fields, said, missingMs: saidAt - lastAt, damaged: setAside !== undefined };
}
