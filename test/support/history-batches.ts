import type { Batch, HistoryEvent, SeriesName } from '../../src/history/batch.ts';

/** A batch from rows of `[sid, t, value]`. */
export function batchOf(
  rows: readonly (readonly [sid: number, t: number, value: number])[],
  rest: Partial<Omit<Batch, 'sids' | 'times' | 'values'>> = {},
): Batch {
  return {
    at: Math.max(0, ...rows.map(([, t]) => t)),
    names: [],
    texts: [],
    marks: [],
    events: [],
    over: [],
    ...rest,
    sids: Int32Array.from(rows, ([sid]) => sid),
    times: Float64Array.from(rows, ([, t]) => t),
    values: Float64Array.from(rows, ([, , value]) => value),
  };
}

export const nameOf = (sid: number, device: string, field: string, unit = ''): SeriesName => ({
  sid,
  device,
  field,
  unit,
  type: 'number',
});

export const statusOf = (t: number, device: string, status: string, reason?: string): HistoryEvent => ({
  t,
  device,
  kind: 'status',
  data: JSON.stringify({ status, reason }),
});
