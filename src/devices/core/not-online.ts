import type { DeviceStatus } from '../../contract/feed/topic-documents.ts';
import type { Effect } from './session-events.ts';

/** The answer to a request for a device that cannot be asked now. */
export function notOnline(requestId: number, status: DeviceStatus): Effect {
  // Over a link before this one it was heard, and its silence is not long enough yet.
  const detail =
    status === 'online'
      ? 'nothing has come over its new link yet; nothing was sent'
      : `the status of the device is ${status}; nothing was sent`;
  return { type: 'settleRequest', requestId, outcome: { ok: false, code: 'device_not_online', detail } };
}
