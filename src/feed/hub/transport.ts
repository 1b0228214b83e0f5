import { CLOSE_CODES, type CloseReason } from '../../contract/wire/index.ts';
import type { Instant } from '../../instant.ts';
import type { Arrivals, Clock } from '../../system/index.ts';
import { Audience } from '../core/audience.ts';
import type { Framer } from '../core/encoder.ts';
import { SessionContext, type SessionPort } from '../core/session-context.ts';
import type { FeedStore } from '../core/store.ts';
import type { Subscriber } from '../core/subscriber.ts';
import type { GroupWriter } from '../writes/group-writer.ts';
import type { Connection } from './connection.ts';
import { FlushLoop } from './flush-loop.ts';
import { announced, type FeedServerLimits } from './limits.ts';

/** Names the transport in metrics. */
export type TransportName = 'websocket' | 'json_lines' | 'sse';

/** Endings that the server did not decide; all others, such as a code that a client made up, are counted together. */
const OTHER_ENDINGS: readonly string[] = ['closed', 'lost', 'refused'];

export interface TransportOptions {
  readonly store: FeedStore;
  readonly clock: Clock;
  readonly limits: FeedServerLimits;
  readonly port: SessionPort<Connection>;
  readonly arrivals: Arrivals | undefined;
  /** Absent: each socket is written to by itself. */
  readonly groupWriter: GroupWriter | undefined;
  /** Writes what waits for a subscriber. */
  readonly flush: (subscriber: Subscriber, now: Instant) => void;
}

/** All subscribers whose messages are framed alike, and the loop that writes to them. */
export class Transport {
  readonly audience: Audience;
  readonly sessions: SessionContext<Connection>;
  readonly loop: FlushLoop;
  readonly tally: TransportTally;

  constructor(name: TransportName, framer: Framer, options: TransportOptions) {
    const { store, clock, limits, port, arrivals, groupWriter, flush } = options;
    this.tally = new TransportTally(name);
    this.audience = new Audience(store, framer, {
      pending: (what) => this.loop.request(what),
      overfull: () => this.loop.overfull(),
      paced: () => this.loop.pace(),
    });
    this.loop = new FlushLoop(this.audience, clock, flush, limits.flushWindowMs, arrivals, groupWriter);
    this.sessions = new SessionContext(
      this.audience,
      port,
      announced(limits),
      limits.pingIntervalMs,
      limits.pingTimeoutMs,
      clock.now(),
    );
  }

  /** Other limits apply to sessions that begin and changes that are published from now on. */
  follow(limits: FeedServerLimits): void {
    this.loop.follow(limits.flushWindowMs);
    this.sessions.follow(announced(limits));
  }

  close(): void {
    this.loop.stop();
    this.audience.close();
  }
}

/** The connections of one kind of transport, and counts of those that ended and of the bytes over their sockets. */
export class TransportTally {
  readonly name: TransportName;
  arrived = 0;
  /** Connections that ended, by a reason of which there are few. */
  readonly endings = new Map<CloseReason | 'closed' | 'lost' | 'refused' | 'other', number>();
  readonly #present = new Set<Connection>();
  #sent = 0;
  #received = 0;

  constructor(name: TransportName) {
    this.name = name;
  }

  /** Those whose socket is not closed yet. */
  get connections(): ReadonlySet<Connection> {
    return this.#present;
  }

  get present(): number {
    return this.#present.size;
  }

  /** Bytes over all sockets, closed ones included. */
  get traffic(): { readonly sent: number; readonly received: number } {
    let sent = this.#sent;
    let received = this.#received;
    for (const { traffic } of this.#present) {
      sent += traffic.sent;
      received += traffic.received;
    }
    return { sent, received };
  }

  opened(connection: Connection): void {
    this.arrived += 1;
    this.#present.add(connection);
  }

  /** A socket is closed; false where it was closed before, or is of another transport. */
  closed(connection: Connection, why: string): boolean {
    if (!this.#present.delete(connection)) return false;
    const { sent, received } = connection.traffic;
    this.#sent += sent;
    this.#received += received;
    const reason = isCounted(why) ? why : 'other';
    this.endings.set(reason, (this.endings.get(reason) ?? 0) + 1);
    return true;
  }
}

function isCounted(why: string): why is CloseReason | 'closed' | 'lost' | 'refused' {
  return OTHER_ENDINGS.includes(why) || Object.hasOwn(CLOSE_CODES, why);
}
