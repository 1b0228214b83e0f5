import type { FailedDevice } from '../config/report.ts';
import type { StateDocument } from '../device/state-document.ts';

/** The state of a device that is configured and cannot be run. */
export function failedDocument({ id, problems }: FailedDevice, wallMs: number): StateDocument {
  const detail = problems.map(({ line, column, message }) => `${line}:${column}: ${message}`).join(' ');
  return {
    device: id,
    status: 'unknown',
    since: wallMs,
    link: {
      status: 'failed',
      transport: 'tcp',
      since: wallMs,
      attempt: 0,
      reason: 'config_invalid',
      detail,
    },
  };
}
