import type { CommandOutcome, FeedClient, FeedCommand } from '../../contract/command.ts';
import type { CloseReason } from '../../contract/feed/close-code.ts';
import type { ClientEntry, FeedLimits } from '../../contract/feed/server-messages.ts';
import type { Instant } from '../../instant.ts';
import { Rate } from '../../system/token-bucket.ts';
import type { Audience } from './audience.ts';
import type { SessionAccess } from './session-access.ts';
import type { SessionMemory } from './session-memory.ts';
import type { Subscriber } from './subscriber.ts';

/** The connection of one session. */
export interface SessionLine {
  readonly subscriber: Subscriber;
  /** Where the client is, as people write it. */
  readonly address: string;
  /** Bytes over the wire so far. */
  readonly traffic: { readonly sent: number; readonly received: number };
  close(reason: CloseReason, now: Instant): void;
}

/** What sessions ask of whoever runs them. One for all of them: there are very many. */
export interface SessionPort<Line extends SessionLine> {
  /** Every client now connected. */
  clients(): readonly ClientEntry[];
  /** Of those that a broadcast reaches. */
  readonly clientCount: number;
  /** `done` is to be called exactly once. */
  command(
    command: FeedCommand,
    client: FeedClient,
    done: (outcome: CommandOutcome, now: Instant) => void,
  ): void;
  readonly access: SessionAccess<Line>;
  /** Takes the session with this secret from whoever has it; undefined where there is none of this owner. */
  resume(line: Line, secret: string): SessionMemory | undefined;
  /** Closes the connection of another client; false where there is none. */
  kick(clientId: string): boolean;
}

/** What a session was promised when it began, and keeps. */
export class SessionTerms {
  readonly limits: FeedLimits;
  /** At which it may send messages. */
  readonly rate: Rate;

  constructor(limits: FeedLimits) {
    this.limits = limits;
    this.rate = new Rate(limits.messages_per_second, limits.message_burst);
  }
}

/** What all sessions of one transport share. */
export class SessionSurroundings<Line extends SessionLine> {
  readonly audience: Audience;
  readonly port: SessionPort<Line>;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Instants of sessions are whole ms since this one, wall clock: as small integers they need no object of their own. */
  readonly startedAtMs: number;
  #terms: SessionTerms;

  constructor(
    audience: Audience,
    port: SessionPort<Line>,
    limits: FeedLimits,
    pingIntervalMs: number,
    pingTimeoutMs: number,
    now: Instant,
  ) {
    this.audience = audience;
    this.port = port;
    this.#terms = new SessionTerms(limits);
    this.pingIntervalMs = pingIntervalMs;
    this.pingTimeoutMs = pingTimeoutMs;
    this.startedAtMs = Math.round(now.wallMs);
  }

  /** Those of a session that begins now. */
  get terms(): SessionTerms {
    return this.#terms;
  }

  /** Other limits hold for sessions that begin from now on. */
  follow(limits: FeedLimits): void {
    this.#terms = new SessionTerms(limits);
  }
}
