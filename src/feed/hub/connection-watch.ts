import type { Instant } from '../../instant.ts';
import type { Connection } from './connection.ts';
import type { FeedServerLimits } from './limits.ts';

/** Closes connections that do not answer or take nothing, and the one that holds most where all hold too much. */
export class ConnectionWatch {
  readonly #limits: FeedServerLimits;
  readonly #random: () => number;
  /** Seconds between two pings of the same connection, and which of them it is. */
  readonly #seconds: number;
  #second = 0;
  /** Pinged and silent since, or too full to be written to. */
  readonly #watched = new Set<Connection>();
  #heldBytes = 0;

  /** `random` is at least 0 and less than 1; it spreads the pings. */
  constructor(limits: FeedServerLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
    this.#seconds = Math.max(1, Math.round(limits.pingIntervalMs / 1_000));
  }

  /** Bytes that wait for all connections together, roughly. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Draws the second of the interval in which a connection is pinged: no second has much more work than another, and
   * connections that came together are not pinged together.
   */
  add(connection: Connection): void {
    connection.pingSecond = Math.floor(this.#random() * this.#seconds);
  }

  delete(connection: Connection): void {
    this.#watched.delete(connection);
    this.#heldBytes -= connection.counted;
  }

  /** Writes what waits for a connection, and counts what it holds then. */
  flush(connection: Connection, now: Instant): void {
    const held = connection.flush(now);
    if (held === connection.counted) return;
    this.#heldBytes += held - connection.counted;
    connection.counted = held;
    if (connection.subscriber.full) this.#watched.add(connection);
    if (this.#heldBytes > this.#limits.maxHeldBytes) this.#dropWorst(now);
  }

  /** Once a second, first. */
  nextSecond(): void {
    this.#second = (this.#second + 1) % this.#seconds;
  }

  /** Once a second, for each connection: pings it where this is its second. */
  pingInTurn(connection: Connection, now: Instant): void {
    if (connection.pingSecond !== this.#second || connection.session === undefined) return;
    connection.sendPing();
    connection.session.ping(now);
    this.#watched.add(connection);
  }

  /** Once a second, after the pings: closes connections that are silent or stuck for too long. */
  checkAll(now: Instant): void {
    for (const connection of this.#watched) this.#check(connection, now);
  }

  #check(connection: Connection, now: Instant): void {
    const { pingTimeoutMs, stuckLimitMs } = this.#limits;
    if (connection.stuckMs(now) >= stuckLimitMs) connection.close('slow_consumer', now);
    const deadline = connection.pingDeadlineMs(now, pingTimeoutMs);
    if (deadline !== undefined && now.monoMs >= deadline) connection.close('ping_timeout', now);
    if (connection.closing || !connection.awaited) this.#watched.delete(connection);
  }

  #dropWorst(now: Instant): void {
    let worst: Connection | undefined;
    for (const connection of this.#watched) {
      if (!connection.closing && connection.counted > (worst?.counted ?? 0)) worst = connection;
    }
    if (worst === undefined) return;
    this.#heldBytes -= worst.counted;
    worst.counted = 0;
    worst.close('slow_consumer', now);
  }
}
