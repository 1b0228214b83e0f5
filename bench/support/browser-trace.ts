/** An event of a browser's own trace, as far as it is read; times in microseconds. */
export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** CPU time of the thread. */
  readonly tdur?: number;
  readonly args?: {
    readonly name?: string;
    readonly frame_reporter?: { readonly state?: string };
  };
}

/** The share of the time in which the main thread of the busiest page had a task. */
export function busyShare(events: readonly TraceEvent[]): number {
  const mains = new Set(
    events
      .filter(({ ph, name, args }) => ph === 'M' && name === 'thread_name' && args?.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const tasks = new Map<string, TraceEvent[]>();
  for (const event of events) {
    const thread = `${event.pid} ${event.tid}`;
    if (event.ph !== 'X' || !/RunTask$/.test(event.name) || !mains.has(thread)) continue;
    const known = tasks.get(thread);
    if (known === undefined) tasks.set(thread, [event]);
    else known.push(event);
  }
  return Math.max(0, ...[...tasks.values()].map(shareOf));
}

/**
 * Tasks may lie within others: only the outer ones count. What they took is the time of the CPU where the trace has it, so
 * that a machine with other work to do does not make a page look busy.
 */
function shareOf(tasks: readonly TraceEvent[]): number {
  const sorted = [...tasks].sort((a, b) => a.ts - b.ts);
  const first = sorted[0]?.ts ?? 0;
  let busy = 0;
  let until = first;
  for (const { ts, dur = 0, tdur = dur } of sorted) {
    if (ts < until) continue;
    busy += tdur;
    until = ts + dur;
  }
  return until === first ? 0 : busy / (until - first);
}

/** The share of frames that were not presented though there was something new; undefined where the trace tells of none. */
export function droppedShare(events: readonly TraceEvent[]): number | undefined {
  let presented = 0;
  let dropped = 0;
  for (const { name, ph, args } of events) {
    if (name !== 'PipelineReporter' || ph !== 'b') continue;
    const state = args?.frame_reporter?.state ?? '';
    if (state === 'STATE_DROPPED') dropped += 1;
    else if (state.startsWith('STATE_PRESENTED')) presented += 1;
  }
  return presented + dropped === 0 ? undefined : dropped / (presented + dropped);
}
