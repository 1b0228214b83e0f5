import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Authenticator, ownerOf, type Verdict } from '../../access/index.ts';
import type { ClientEntry } from '../../contract/feed/index.ts';
import type { Instant } from '../../instant.ts';
import {
  type Affected,
  type Arrivals,
  type Clock,
  type Live,
  systemClock,
  type Timer,
} from '../../system/index.ts';
import type { Framer } from '../core/encoder.ts';
import { FeedSession } from '../core/session.ts';
import type { KickedClients } from '../core/session-context.ts';
import { SessionMemory } from '../core/session-memory.ts';
import type { FeedStore } from '../core/store.ts';
import { FeedWrites, type FeedWritesOptions, type WritesStatus } from '../writes/feed-writes.ts';
import { ConnectionQuota, idInUse, type Rejection, reject } from './admission.ts';
import { Authorizer } from './authorizer.ts';
import type { ClientPeers } from './client-peers.ts';
import { type Attempt, Connection, type TransportSocket } from './connection.ts';
import { ConnectionWatch } from './connection-watch.ts';
import { DEFAULT_FEED_LIMITS, type FeedServerLimits, type LiveLimits } from './limits.ts';
import { Presence } from './presence.ts';
import {
  type AdditionHandler,
  type CommandHandler,
  SessionService,
  type WantedHandler,
} from './session-service.ts';
import { Transport, type TransportName } from './transport.ts';

const TICK_MS = 1_000;
/** Reconnecting clients are spread so that about this many come back per second. */
const RETURNING_PER_SECOND = 100;

/** One line of the log about a subscriber. */
export interface FeedLog {
  readonly event: 'connected' | 'disconnected' | 'refused' | 'error';
  readonly address: string;
  readonly client?: string;
  readonly detail?: string;
}

export interface SubscriberRegistryOptions extends Partial<FeedServerLimits> {
  readonly store: FeedStore;
  readonly clock?: Clock;
  /** Limits that change while it runs. */
  readonly live?: Live<LiveLimits>;
  /** Verifies tokens; absent: no token is required. */
  readonly auth?: Authenticator;
  /** At least 0 and less than 1; spreads what must not come together. */
  random?(): number;
  /** Counts devices that connect; they go before subscribers. */
  readonly arrivals?: Arrivals;
  /** Absent: every command is answered with `not_supported`. */
  readonly commands?: CommandHandler;
  /** Absent: all that can be subscribed to is there. */
  readonly wanted?: WantedHandler | undefined;
  /** Absent: there is no other instance. */
  readonly peers?: ClientPeers | undefined;
  /** Absent: the configuration is not changed from here. */
  readonly additions?: AdditionHandler | undefined;
  /** How the same bytes go to many sockets; absent: each socket is written to by itself. */
  readonly writes?: FeedWritesOptions | undefined;
  onLog?(entry: FeedLog): void;
  /** A defect showed with one connection, which is closed for it; absent: it is thrown on, and ends the process. */
  onDefect?(affected: Affected, cause: unknown): void;
}

/** A new connection, as its transport hands it over. */
export interface Arrival {
  readonly transportSocket: TransportSocket;
  readonly socket: Socket;
  /** In its usual notation. */
  readonly address: string;
  /** The requested client id; one is made where it is absent. */
  readonly wantedId?: string | undefined;
  /** It gets answers only until `begin`. */
  readonly quiet?: boolean;
  /** The verdict on the token of the handshake; absent: there was none, and one may be shown later. */
  readonly verdict?: Verdict | undefined;
}

/**
 * All subscribers, over all transports. A connection passes through here: `admit` opens it (`ConnectionQuota` rejects,
 * `Authorizer` grants, `Presence` lists), `receive` hands its messages to its session, each `Transport` writes to it,
 * `ConnectionWatch` pings it, and `leave` removes it. One timer serves all of them; nothing waits for any of them.
 */
export class SubscriberRegistry {
  readonly clock: Clock;
  readonly auth: Authenticator;
  #limits: FeedServerLimits;
  readonly #options: SubscriberRegistryOptions;
  readonly #transports: Transport[] = [];
  readonly #presence: Presence;
  readonly #authorizer: Authorizer;
  readonly #sessions: SessionService;
  readonly #random: () => number;
  readonly #watch: ConnectionWatch;
  readonly #quota: ConnectionQuota;
  readonly #writes: FeedWrites | undefined;
  readonly #stopListening: () => void;
  #timer: Timer | undefined;
  #reading: Timer | undefined;
  #closing: Promise<void> | undefined;
  #allGone: (() => void) | undefined;

  constructor(options: SubscriberRegistryOptions) {
    const { random = Math.random } = options;
    this.#options = options;
    this.#random = random;
    this.#limits = { ...DEFAULT_FEED_LIMITS, ...options, ...options.live?.value };
    options.live?.watch((limits) => this.#follow(limits));
    this.clock = options.clock ?? systemClock;
    this.#watch = new ConnectionWatch(this.limits, random);
    this.#quota = new ConnectionQuota(this.limits, random);
    this.auth = options.auth ?? new Authenticator(undefined, this.clock);
    this.#writes =
      options.writes && new FeedWrites(options.writes, (why) => options.onDefect?.({}, new Error(why)));
    this.#stopListening = this.auth.onReplaced(() => this.#recheckTokens());
    this.#presence = new Presence({
      store: options.store,
      resumeMs: this.limits.resumeMs,
      subscribedTo: (topic) => this.subscribedTo(topic),
    });
    this.#authorizer = new Authorizer({
      authenticator: this.auth,
      clock: this.clock,
      authorized: (connection) => this.#enter(connection),
      refused: (address, message) => this.log('refused', address, undefined, message),
      attempt: this.#attempt,
    });
    this.#sessions = new SessionService(
      this.#authorizer,
      this.#presence,
      this.clock,
      options.commands,
      options.additions,
      this.#attempt,
      options.wanted,
      options.peers,
    );
  }

  /** How it writes; undefined where each socket is written to by itself. */
  get writes(): WritesStatus | undefined {
    return this.#writes?.status;
  }

  get limits(): FeedServerLimits {
    return this.#limits;
  }

  /** Other limits apply to new connections; no present one is closed for them. */
  #follow(limits: LiveLimits): void {
    this.#limits = { ...this.#limits, ...limits };
    this.#quota.follow(limits);
    for (const transport of this.#transports) transport.follow(this.#limits);
  }

  /** Adds a kind of transport; to be called once for each. */
  transport(name: TransportName, framer: Framer): Transport {
    const transport = new Transport(name, framer, {
      store: this.#options.store,
      clock: this.clock,
      limits: this.limits,
      port: this.#sessions,
      arrivals: this.#options.arrivals,
      groupWriter: this.#writes?.groupWriter,
      flush: ({ sink }, now) => {
        if (!(sink instanceof Connection)) return;
        try {
          this.#watch.flush(sink, now);
        } catch (cause) {
          this.#abort(sink, cause);
        }
      },
    });
    this.#transports.push(transport);
    return transport;
  }

  get transports(): readonly Transport[] {
    return this.#transports;
  }

  /** All connected and authorized clients of this instance. */
  clients(): readonly ClientEntry[] {
    return this.#sessions.present();
  }

  /** Closes connections of this instance for good; returns how many. */
  kick(target: KickedClients): number {
    return this.#sessions.closeAll(target);
  }

  /** Whether any subscriber would get an event of this topic. */
  subscribedTo(topic: string): boolean {
    return this.#transports.some(({ audience }) => audience.subscribedTo(topic));
  }

  /** Connections whose sockets are not closed yet. */
  get #size(): number {
    return this.#transports.reduce((sum, { tally }) => sum + tally.present, 0);
  }

  *#connections(): Generator<Connection, void, void> {
    for (const { tally } of this.#transports) yield* tally.connections;
  }

  /** Bytes that wait for all subscribers together, roughly. */
  get heldBytes(): number {
    return this.#watch.heldBytes;
  }

  /**
   * To be called before a connection is admitted: undefined where there is room now, else the seconds after which to
   * come back, spread so that refused clients do not come back together.
   */
  retryAfterS(address: string): number | undefined {
    const full = this.#closing !== undefined || this.#size >= this.limits.maxConnections;
    return this.#quota.retryAfterS(address, full, this.clock.now());
  }

  /**
   * Opens a connection and welcomes it, unless it is quiet. A rejected one gets the reason and is closed; its `session`
   * is undefined. In either case `leave` is to be called once its socket is closed.
   */
  admit(transport: Transport, arrival: Arrival): Connection {
    const { transportSocket, socket, address, wantedId, quiet = false, verdict } = arrival;
    const now = this.clock.now();
    const connection = new Connection(
      transportSocket,
      socket,
      address,
      transport.audience,
      this.#writes?.groupWriter,
    );
    connection.quiet = quiet;
    const id = wantedId ?? `c_${randomBytes(6).toString('base64url')}`;
    transport.tally.opened(connection);
    const overLimit = this.#quota.opened(address, this.limits.maxConnectionsPerAddress);
    if (this.#closing !== undefined) {
      connection.close('draining', now, RETURNING_PER_SECOND);
      return connection;
    }
    if (overLimit !== undefined) return reject(connection, overLimit, now);
    if (verdict?.ok === false) {
      this.log('refused', address, wantedId, verdict.message);
      const reason = verdict.code === 'rate_limited' ? 'rate_limited' : 'unauthorized';
      return reject(connection, { ...verdict, reason }, now);
    }
    const grant = verdict?.grant ?? (this.auth.required ? undefined : this.auth.openGrant(address));
    if (grant !== undefined && !this.#presence.isFree(id, ownerOf(grant))) {
      return reject(connection, idInUse(id), now);
    }
    connection.grant = grant;
    if (grant === undefined) connection.tokenDueAtMs = now.monoMs + this.limits.authTimeoutMs;
    // 128 bits that are a secret, and 48 that are none.
    const [secret = '', tag = ''] = [16, 6].map((bytes) => randomBytes(bytes).toString('base64url'));
    const memory = new SessionMemory(secret, id, tag);
    connection.start(new FeedSession(transport.sessions, connection, memory, now));
    if (grant !== undefined) this.#enter(connection);
    this.#watch.add(connection);
    this.#armTimer();
    if (!quiet) connection.session?.welcome(now);
    return connection;
  }

  /** A quiet connection is welcomed, and from now on also gets what it did not ask for. */
  begin(connection: Connection): void {
    this.#attempt(connection, () => connection.begin(this.clock.now()));
  }

  /** A message arrived over a connection. */
  receive(connection: Connection, text: string): void {
    this.#attempt(connection, () => connection.receive(text, this.clock.now()));
  }

  readonly #attempt: Attempt = (connection, act) => {
    try {
      act();
    } catch (cause) {
      this.#abort(connection, cause);
    }
  };

  /** A defect showed with one connection: it is closed, and all others go on. */
  #abort(connection: Connection | undefined, cause: unknown): void {
    const { onDefect } = this.#options;
    if (onDefect === undefined) throw cause;
    const { address, clientId } = connection ?? {};
    onDefect(
      {
        ...(address === undefined ? {} : { address }),
        ...(clientId === undefined ? {} : { client: clientId }),
      },
      cause,
    );
    connection?.abort(this.clock.now());
  }

  /** The socket of a connection is closed. */
  leave(connection: Connection, why: string): void {
    const reason = connection.closedFor ?? why;
    if (!this.#transports.some(({ tally }) => tally.closed(connection, reason))) return;
    const { address, clientId } = connection;
    connection.detach();
    if (this.#presence.leave(connection, reason, this.clock.now())) {
      this.log('disconnected', address, clientId, reason);
    }
    this.#watch.delete(connection);
    this.#quota.closed(address);
    if (this.#size === 0) this.#allGone?.();
  }

  log(event: FeedLog['event'], address: string, client?: string, detail?: string): void {
    this.#options.onLog?.({
      event,
      address,
      ...(client === undefined ? {} : { client }),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  /** Asks every subscriber to come back later, spread over time, and closes. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const now = this.clock.now();
    const spreadMs = Math.max(1_000, (this.#presence.size / RETURNING_PER_SECOND) * 1_000);
    const gone = new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
    for (const connection of [...this.#connections()]) {
      connection.close('draining', now, Math.round(this.#random() * spreadMs));
    }
    if (this.#size > 0) await gone;
    for (const transport of this.#transports) transport.close();
    this.#timer?.cancel();
    this.#reading?.cancel();
    this.#stopListening();
    this.#writes?.[Symbol.dispose]();
  }

  /** An authorized connection gets its place among the clients, unless its client id is taken by now. */
  #enter(connection: Connection): Rejection | undefined {
    const { session, address } = connection;
    if (session === undefined) return undefined;
    const now = this.clock.now();
    const { memory } = session;
    const owner = this.#authorizer.ownerOf(connection);
    if (!this.#presence.isFree(memory.clientId, owner)) return idInUse(memory.clientId);
    memory.owner = owner;
    connection.authorize(now);
    this.#presence.add(connection, memory, now);
    this.log('connected', address, memory.clientId, this.#authorizer.subjectOf(connection));
    return undefined;
  }

  /** The tokens were replaced: a connection whose token no longer grants the same is closed. */
  #recheckTokens(): void {
    for (const connection of this.#connections()) {
      void this.#authorizer.stillValid(connection).then((valid) => {
        if (!valid) connection.close('unauthorized', this.clock.now());
      });
    }
  }

  #armTimer(): void {
    // On the beat on which devices publish their counts: what follows from both goes out together.
    const nextBeat = (Math.floor(this.clock.now().monoMs / TICK_MS) + 1) * TICK_MS;
    this.#timer ??= this.clock.setTimer(nextBeat, () => {
      this.#timer = undefined;
      if (this.#size > 0 || this.#options.store.isAging) this.#armTimer();
      this.#tick();
    });
  }

  /** Once a second: positions, expired tokens, repeated outcomes, and connections that are silent or stuck. */
  #tick(): void {
    const now = this.clock.now();
    this.#options.store.age(now);
    this.#presence.expire(now);
    for (const { audience } of this.#transports) audience.sendPositions();
    this.#watch.nextSecond();
    for (const connection of this.#connections()) {
      this.#attempt(connection, () => this.#tend(connection, now));
    }
    // Behind a loop that stood still the pongs may lie in the sockets already.
    this.#reading = this.clock.afterReading(() => this.#watch.checkAll(this.clock.now()));
  }

  #tend(connection: Connection, now: Instant): void {
    const reason = this.#authorizer.expiry(connection, now);
    if (reason !== undefined) connection.close(reason, now);
    const { subscriber, session, closing } = connection;
    // Another connection may have its session by now.
    if (closing) return;
    subscriber.remind(now);
    session?.remind(now);
    this.#watch.pingInTurn(connection, now);
  }
}
