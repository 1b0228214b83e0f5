import { HeartwireError } from '../errors.ts';

/** A place in a trace; lines and columns count from 1. */
export interface TracePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What is wrong in a trace, and where. */
export function traceError(place: TracePlace, problem: string, fix: string, seen?: string): HeartwireError {
  const { file, line, column } = place;
  return new HeartwireError('trace_invalid', `${file}:${line}:${column}: ${problem}`, {
    fix,
    ...(seen === undefined ? {} : { seen: seen.slice(0, 80) }),
  });
}
