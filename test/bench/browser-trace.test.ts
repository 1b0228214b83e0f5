import { expect, it } from 'vitest';
import { busyShare, droppedShare, type TraceEvent } from '../../bench/support/browser-trace.ts';

const report = (sequence: number, state: string, smooth = false): TraceEvent => ({
  name: 'PipelineReporter',
  ph: 'b',
  pid: 1,
  tid: 1,
  ts: 0,
  args: {
    frame_reporter: {
      state,
      affects_smoothness: smooth,
      layer_tree_host_id: 1,
      frame_source: 7,
      frame_sequence: sequence,
    },
  },
});

it.each<[string, readonly TraceEvent[], number | undefined]>([
  ['no frames', [], undefined],
  [
    'one of two was not presented while something moved',
    [report(1, 'STATE_PRESENTED_ALL'), report(2, 'STATE_DROPPED', true)],
    0.5,
  ],
  [
    'one report of a thread, though the frame was presented by the other',
    [
      report(1, 'STATE_DROPPED', true),
      report(1, 'STATE_PRESENTED_PARTIAL'),
      report(2, 'STATE_PRESENTED_ALL'),
    ],
    0,
  ],
  ['nothing moved', [report(1, 'STATE_DROPPED'), report(2, 'STATE_PRESENTED_ALL')], 0],
  [
    'nothing was to be shown',
    [
      report(1, 'STATE_NO_UPDATE_DESIRED'),
      report(2, 'STATE_DROPPED', true),
      report(3, 'STATE_DROPPED', true),
    ],
    2 / 3,
  ],
])('the share of frames that a browser dropped: %s', (_, events, share) => {
  expect(droppedShare(events)).toBe(share);
});

it('the share of time in which the main thread was busy counts the CPU, and the outer tasks only', () => {
  const task = (ts: number, dur: number, tdur: number): TraceEvent => ({
    name: 'ThreadControllerImpl::RunTask',
    ph: 'X',
    pid: 1,
    tid: 2,
    ts,
    dur,
    tdur,
  });
  const named: TraceEvent = {
    name: 'thread_name',
    ph: 'M',
    pid: 1,
    tid: 2,
    ts: 0,
    args: { name: 'CrRendererMain' },
  };
  expect(busyShare([named, task(0, 10, 5), task(2, 3, 3), task(90, 10, 5)])).toBe(0.1);
});
