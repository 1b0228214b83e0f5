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
    readonly frame_reporter?: {
      readonly state?: string;
      /** Something moved that this frame should have gone on with: an animation of the compositor, or scrolling. */
      readonly affects_smoothness?: boolean;
      readonly frame_source?: number;
      readonly frame_sequence?: number;
      readonly layer_tree_host_id?: number;
    };
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

/**
 * The share of frames that were dropped, as the browser itself counts smoothness: something moved and the frame was not
 * presented. One frame may have several reports, one for each thread. Two things look dropped and are not: an animation that
 * stands still, or that is outside of the window, has nothing to present. So a page is measured with something that always moves
 * within its window. Undefined where the trace has no frames.
 */
export function droppedShare(events: readonly TraceEvent[]): number | undefined {
  const frames = new Map<string, 'presented' | 'dropped' | 'calm'>();
  for (const { name, ph, args } of events) {
    const report = args?.frame_reporter;
    if (name !== 'PipelineReporter' || ph !== 'b' || report === undefined) continue;
    const { state = '', affects_smoothness: smooth, layer_tree_host_id: host } = report;
    const frame = `${host} ${report.frame_source} ${report.frame_sequence}`;
    if (state.startsWith('STATE_PRESENTED')) frames.set(frame, 'presented');
    else if (!frames.has(frame))
      frames.set(frame, state === 'STATE_DROPPED' && smooth === true ? 'dropped' : 'calm');
  }
  const dropped = [...frames.values()].filter((each) => each === 'dropped').length;
  return frames.size === 0 ? undefined : dropped / frames.size;
}
