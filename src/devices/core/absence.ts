import type { SessionSettings } from '../../config/index.ts';
import type { Instant } from '../../instant.ts';
import type { KnownBefore } from './session-events.ts';
import type { StateAxes } from './state-document.ts';

/** A report may be late by half its period before the device counts as gone. */
const OVERDUE_FACTOR = 1.5;
/** How a peer hangs up: closing with our last answer unread resets the link. */
const HANG_UPS: readonly string[] = ['link_closed', 'link_reset'];
const NEVER = Number.POSITIVE_INFINITY;

/** How a link ended, as far as it matters to the device. */
export interface Parting {
  readonly reason: string;
  readonly detail: string;
  /** The link closed by itself, behind an exchange that had succeeded. */
  readonly byItself: boolean;
}

/** What a device is while it has no link: away for as long as its next report is not overdue, else offline. */
export class Absence {
  readonly #presence: SessionSettings['presence'];
  readonly #axes: StateAxes;
  #overdueAt = NEVER;

  constructor({ presence }: Pick<SessionSettings, 'presence'>, axes: StateAxes) {
    this.#presence = presence;
    this.#axes = axes;
  }

  /** Monotonic ms. */
  get deadline(): number {
    return this.#overdueAt;
  }

  /** The link is gone; `seen`: a valid frame of the device has come since the start. */
  begin({ reason, detail, byItself }: Parting, seen: boolean, now: Instant): void {
    if (this.#presence !== undefined && byItself && HANG_UPS.includes(reason)) {
      this.#overdueAt = now.monoMs + this.#presence.everyMs * OVERDUE_FACTOR;
      this.#axes.setStatus('away', now.wallMs, reason, detail);
    } else {
      this.#axes.setStatus(seen ? 'offline' : 'unknown', now.wallMs, reason, detail);
    }
  }

  /** An earlier run of the bridge knew the device. */
  resume({ since, identity, ...parting }: KnownBefore, now: Instant): void {
    if (identity !== undefined) this.#axes.setPart('identity', identity);
    const awayMs = Math.max(0, now.wallMs - since);
    this.begin(parting, true, { wallMs: now.wallMs - awayMs, monoMs: now.monoMs - awayMs });
  }

  /** It has a link again, or is not waited for any more. */
  end(): void {
    this.#overdueAt = NEVER;
  }

  /**
   * The report is overdue. Where the process did not run for `stalledMs`, the device may have dialled in meanwhile and
   * waits to be accepted: it gets that time, at most until its next report.
   */
  expire(now: Instant, stalledMs = 0): void {
    if (this.#overdueAt > now.monoMs) return;
    if (stalledMs > 0) {
      this.#overdueAt = now.monoMs + Math.min(stalledMs, this.#presence?.everyMs ?? 0);
      return;
    }
    this.#overdueAt = NEVER;
    this.#axes.setStatus('offline', now.wallMs, 'overdue', 'its next report did not come in time');
  }
}
