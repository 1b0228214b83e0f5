import type { SessionSettings } from '../config/index.ts';

/** A peer that sends datagrams and has no connection to lose is gone after so long at the least, in ms. */
const LEAST_SILENCE_MS = 10 * 60_000;

/** No device with these settings is silent for so long while it is there. */
export function longestSilenceMs({ heartbeat, bare, presence }: SessionSettings): number {
  const silentMs = bare === undefined ? heartbeat.intervalMs * (heartbeat.missed + 1) : (bare.silenceMs ?? 0);
  return Math.max(LEAST_SILENCE_MS, 2 * silentMs, 2 * (presence?.everyMs ?? 0));
}
