/** What a device is, as far as its own frames tell; each with when it is so. */
export const DEVICE_STATUSES = {
  unknown: 'configured, and not seen since the start',
  registering: 'the link is up, the registration is not done yet',
  online: 'registered, and the last valid frame is at most 1.5 heartbeat intervals old',
  stale: 'silent for longer',
  offline: 'silent for `missed` intervals and a second, or the link is gone',
  away: 'a device with `presence` hung up, and its next report is not overdue',
} as const;

export type DeviceStatus = keyof typeof DEVICE_STATUSES;

/** The status that a word is; undefined where this version knows none of that name. */
export function deviceStatusOf(word: unknown): DeviceStatus | undefined {
  return DEVICE_STATUS_WORDS.find((each) => each === word);
}

// The keys of a literal are the names of its type.
const DEVICE_STATUS_WORDS = Object.keys(DEVICE_STATUSES) as readonly DeviceStatus[];

/** What its link is, as far as the operating system reports it; each with when it is so. */
export const LINK_STATUSES = {
  disabled: 'not started, or stopped',
  listening: 'waits for the device to dial in',
  connecting: 'is being opened',
  connected: 'carries bytes',
  backoff: 'failed; waits before it is opened again',
  failed: "can't work until something is fixed; `reason` says what",
} as const;

export type LinkStatus = keyof typeof LINK_STATUSES;
