/** Why a device is stopped, in the words of those whose requests fail by it. */
export const STOPPED = {
  stopped: 'the bridge stopped this device',
  reconfigured: 'the configuration of this device changed',
  removed: 'this device was taken out of the configuration',
} as const;

export type StopReason = keyof typeof STOPPED;
