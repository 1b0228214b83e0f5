import type { ClientMessage, FeedErrorCode, FeedLimits, PayloadOf } from '../../contract/feed/index.ts';
import type {
  CommandOutcome,
  FeedAddition,
  FeedClient,
  FeedCommand,
  RecoveryCut,
} from '../../contract/index.ts';
import type { CloseReason, JsonObject, Position } from '../../contract/wire/index.ts';
import type { Instant } from '../../instant.ts';
import { Rate } from '../../system/index.ts';
import type { Audience } from './audience.ts';
import type { SessionMemory } from './session-memory.ts';
import type { Subscriber } from './subscriber.ts';

/** Whether a token is needed, was shown, or is not asked for. */
export type AccessStatus = 'none' | 'required' | 'ok';

/** The verdict on a token that was shown. */
export type AuthOutcome =
  | { readonly ok: true; readonly result: JsonObject }
  | {
      readonly ok: false;
      readonly code: FeedErrorCode;
      readonly message: string;
      readonly retry: boolean;
      /** The connection ends with it. */
      readonly close?: CloseReason;
    };

/** Decides what the connection of a session may do. */
export interface SessionAccess<Connection> {
  status(connection: Connection): AccessStatus;
  /** Why a message is not carried out, or undefined. */
  refused(
    connection: Connection,
    message: ClientMessage,
  ): { readonly code: FeedErrorCode; readonly message: string } | undefined;
  /** `done` is called exactly once, within this call or later, or never where the connection has ended. */
  authenticate(
    connection: Connection,
    token: string,
    done: (outcome: AuthOutcome, now: Instant) => void,
  ): void;
}

/** The connection of one session. */
export interface SessionConnection {
  readonly subscriber: Subscriber;
  /** The address of the client, in its usual notation. */
  readonly address: string;
  /** Bytes over the wire so far. */
  readonly traffic: { readonly sent: number; readonly received: number };
  close(reason: CloseReason, now: Instant): void;
}

/** Every client that is known of; `count` may be more than are listed. */
export type ListedClients = Pick<PayloadOf<'clients_list'>, 'clients' | 'count' | 'unreached'>;

/** How many connections were closed, and which instances could not be asked. */
export interface Kicked {
  readonly count: number;
  readonly unreached: readonly string[];
}

/** Which clients: those with this id, of this token, or at this address. */
export type KickedClients =
  | { readonly client_id: string }
  | { readonly user: string }
  | { readonly address: string };

/** What sessions ask of the hub. One for all of them: there are very many. */
export interface SessionPort<Connection extends SessionConnection> {
  /** `done` is called once with every client now connected, or never where the connection has ended. */
  clients(connection: Connection, done: (listed: ListedClients, now: Instant) => void): void;
  /** Of those that a broadcast reaches. */
  readonly clientCount: number;
  /** `done` is to be called exactly once. */
  command(
    command: FeedCommand,
    client: FeedClient,
    done: (outcome: CommandOutcome, now: Instant) => void,
  ): void;
  /** `done` is called once, or never where the connection has ended. */
  addEntry(
    connection: Connection,
    addition: FeedAddition,
    done: (outcome: CommandOutcome, now: Instant) => void,
  ): void;
  /**
   * False where all is there that these patterns cover; else `done` is called once it is, or never where the connection
   * has ended. It gets what `since` covers here, where another instance gave that.
   */
  awaits?(
    connection: Connection,
    patterns: readonly string[],
    since: Position | undefined,
    done: (now: Instant, cut: RecoveryCut | undefined) => void,
  ): boolean;
  readonly access: SessionAccess<Connection>;
  /** Takes the session with this secret from its present connection; undefined where this owner has none. */
  resume(connection: Connection, secret: string): SessionMemory | undefined;
  /** Closes connections of other clients; `done` is called once, or never where the connection has ended. */
  kick(connection: Connection, target: KickedClients, done: (kicked: Kicked, now: Instant) => void): void;
}

/** The limits of a session, fixed when it begins. */
export class SessionTerms {
  readonly limits: FeedLimits;
  /** Of the messages that it may send. */
  readonly rate: Rate;

  constructor(limits: FeedLimits) {
    this.limits = limits;
    this.rate = new Rate(limits.messages_per_second, limits.message_burst);
  }
}

/** What all sessions of one transport share. */
export class SessionContext<Connection extends SessionConnection> {
  readonly audience: Audience;
  readonly port: SessionPort<Connection>;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** Instants of sessions are whole ms since this one, wall clock: as small integers they need no object of their own. */
  readonly startedAtMs: number;
  #terms: SessionTerms;

  constructor(
    audience: Audience,
    port: SessionPort<Connection>,
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

  /** The terms of a session that begins now. */
  get terms(): SessionTerms {
    return this.#terms;
  }

  /** Other limits apply to sessions that begin from now on. */
  follow(limits: FeedLimits): void {
    this.#terms = new SessionTerms(limits);
  }
}
