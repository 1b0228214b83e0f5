import type { SessionSettings } from '../../config/index.ts';
import { LEAST_BACK_OFF_MS } from '../../contract/index.ts';

/** What comes after a link that failed or was lost. */
type NextDial =
  | { readonly kind: 'dial'; readonly addressIndex: number }
  | { readonly kind: 'wait'; readonly forMs: number };

/**
 * Which address is dialled next, and after how long. The addresses are tried in their order, one right after the
 * other; once all have failed there is a pause that grows until a success.
 */
export class DialPlan {
  readonly #reconnect: SessionSettings['reconnect'];
  readonly #addresses: number;
  readonly #random: () => number;
  #addressIndex = 0;
  #pauses = 0;
  /** Openings since the last success. */
  attempt = 0;

  constructor(settings: Pick<SessionSettings, 'reconnect' | 'addresses'>, random: () => number) {
    this.#reconnect = settings.reconnect;
    this.#addresses = settings.addresses.length;
    this.#random = random;
  }

  /** The address to dial now, counted as an attempt. */
  take(): number {
    this.attempt += 1;
    return this.#addressIndex;
  }

  /** An exchange succeeded over the present link. */
  succeeded(): void {
    this.attempt = 0;
    this.#pauses = 0;
    // After a loss the first address has precedence again.
    this.#addressIndex = 0;
  }

  /** As if nothing could be reached so often: the pause that is due. */
  pauseAfter(failures: number): number {
    this.#pauses = failures;
    return backOffMs(this.#reconnect, this.#pauses, this.#random());
  }

  /** The link failed; `hadSuccess` where an exchange had succeeded over it. */
  failed(hadSuccess: boolean): NextDial {
    if (!hadSuccess && this.#addressIndex + 1 < this.#addresses) {
      this.#addressIndex += 1;
      return { kind: 'dial', addressIndex: this.#addressIndex };
    }
    this.#addressIndex = 0;
    return { kind: 'wait', forMs: this.pauseAfter(this.#pauses + 1) };
  }
}

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
