import type { Instant } from '../instant.ts';
import type { KnownBefore } from './core/session-events.ts';

/** The monotonic instant since which a device has had no link; it may lie before the start of the process. */
export function lastLinkedAt(now: Instant, known: KnownBefore | undefined): number {
  return now.monoMs - (known === undefined ? 0 : Math.max(0, now.wallMs - known.since));
}

/** Whether a device has a link, and since when it has none. Instants are monotonic, in ms. */
export class LinkPresence {
  readonly #changed: ((linked: boolean) => void) | undefined;
  #linked = false;
  #lastLinkedAt: number;

  constructor(lastLinkedAt: number, changed?: (linked: boolean) => void) {
    this.#lastLinkedAt = lastLinkedAt;
    this.#changed = changed;
  }

  /** How it is at `now`; a change is told once. */
  note(linked: boolean, now: number): void {
    if (linked || this.#linked) this.#lastLinkedAt = now;
    if (linked === this.#linked) return;
    this.#linked = linked;
    this.#changed?.(linked);
  }

  /** How long it has had no link. */
  awayMs(now: number): number {
    return now - this.#lastLinkedAt;
  }
}
