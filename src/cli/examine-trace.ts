import { HeartwireError } from '../errors.ts';
import { openTrace } from '../links/trace-file.ts';
import { bad, type Finding, good } from './examine.ts';

/** Reads the beginning of a trace that a device plays. */
export async function examineTrace(about: string, path: string): Promise<Finding> {
  try {
    const { events } = await openTrace(path, path, () => undefined);
    // Nothing more of it is read.
    await events[Symbol.asyncIterator]().return?.();
    return good(about, `${path} is a trace.`);
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    return bad(about, { code: error.code, detail: error.message });
  }
}
