import { LEAST_BACK_OFF_MS, type SessionSettings } from '../../contract/settings.ts';

/**
 * The pause before the next try, in ms. `attempt` counts the failures in a row, from 1; `random` is in [0, 1). With
 * full jitter the pause is spread evenly between the least one and the ceiling, so that many devices which failed
 * together do not come back together.
 */
export function backOffMs(reconnect: SessionSettings['reconnect'], attempt: number, random: number): number {
  const steps = Math.max(0, attempt - 1);
  // The power may overflow to Infinity, which the limit brings back.
  const grown = Math.max(LEAST_BACK_OFF_MS, reconnect.initialMs) * reconnect.multiplier ** steps;
  const ceilingMs = Math.max(LEAST_BACK_OFF_MS, Math.min(reconnect.maxMs, grown));
  switch (reconnect.jitter) {
    case 'none':
      return ceilingMs;
    case 'full':
      return LEAST_BACK_OFF_MS + random * (ceilingMs - LEAST_BACK_OFF_MS);
  }
}
