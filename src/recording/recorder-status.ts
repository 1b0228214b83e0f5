import type { JsonObject } from '../contract/publisher.ts';
import type { DiskUse } from '../system/disk-budget.ts';
import type { DeviceRecording } from './recorder-device.ts';

/** Interrupted devices that are shown one by one. */
const SHOWN = 20;

export interface RecordingFigures {
  readonly dir: string;
  readonly devices: number;
  readonly recordings: readonly DeviceRecording[];
  readonly use: DiskUse;
  readonly noFolder: { readonly detail: string; readonly since: number } | undefined;
  /** Of holes that are over. */
  readonly missedBytes: number;
}

/** What `bridge/status` shows of the recordings. */
export function recordingStatus(figures: RecordingFigures): JsonObject {
  const { dir, devices, recordings, use, noFolder, missedBytes } = figures;
  const holes = recordings.flatMap(({ device, hole }) => (hole === undefined ? [] : [{ device, ...hole }]));
  const missed = holes.reduce((sum, hole) => sum + hole.missedBytes, missedBytes);
  const first = noFolder ? { reason: 'recording_failed', ...noFolder } : earliest(holes);
  // Traces that are open go on where the folder cannot be used any more.
  const none = holes.length >= recordings.length;
  return {
    status: first === undefined ? 'recording' : none ? 'stopped' : 'interrupted',
    dir,
    devices,
    files: use.files,
    bytes: use.bytes,
    missed_bytes: missed,
    ...(first === undefined ? {} : { reason: first.reason, detail: first.detail, since: first.since }),
    ...(holes.length === 0
      ? {}
      : {
          interrupted_count: holes.length,
          interrupted: holes.slice(0, SHOWN).map(({ device, reason, detail, since, missedBytes: bytes }) => ({
            device,
            reason,
            detail,
            since,
            missed_bytes: bytes,
          })),
        }),
  };
}

function earliest<T extends { readonly since: number }>(all: readonly T[]): T | undefined {
  return all.reduce<T | undefined>(
    (first, each) => (first && first.since <= each.since ? first : each),
    undefined,
  );
}
