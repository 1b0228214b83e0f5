import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { AddressCount, AddressPace } from '../../access/address-caps.ts';
import { Authenticator, type Verdict } from '../../access/authenticator.ts';
import { isLoopback } from '../../access/caller.ts';
import { ownerOf } from '../../access/grant.ts';
import type { ClientEntry } from '../../contract/feed/server-messages.ts';
import type { Instant } from '../../instant.ts';
import type { Arrivals } from '../../system/arrivals.ts';
import { type Clock, systemClock, type Timer } from '../../system/clock.ts';
import type { Affected } from '../../system/defect.ts';
import type { Live } from '../../system/live-config.ts';
import { TokenBucket } from '../../system/rate-limits.ts';
import { Audience } from '../core/audience.ts';
import type { Framer } from '../core/encoder.ts';
import { FeedSession } from '../core/session.ts';
import { SessionMemory } from '../core/session-memory.ts';
import { SessionSurroundings } from '../core/session-surroundings.ts';
import type { FeedStore } from '../core/store.ts';
import type { Subscriber } from '../core/subscriber.ts';
import { Authorizer } from './authorizer.ts';
import type { CommandHandler } from './command-dispatcher.ts';
import { Connection, type TransportSocket } from './connection.ts';
import { ConnectionWatch } from './connection-watch.ts';
import { FlushLoop } from './flush-loop.ts';
import { announced, DEFAULT_FEED_LIMITS, type FeedServerLimits, type LiveLimits } from './limits.ts';
import { Presence } from './presence.ts';
import { idInUse, type Refused, reject } from './reject.ts';
import { type Attempt, SessionService } from './session-service.ts';
import { type TransportName, TransportTally } from './transport-tally.ts';

const BEAT_MS = 1_000;
/** Reconnecting clients are spread so that about this many come back per second. */
const RETURNING_PER_SECOND = 100;
/** Who is told to come back later is told a random number of seconds, up to this. */
const MOST_RETRY_S = 10;

/** Something about one subscriber that is worth a line in the log. */
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
  /** Knows the tokens; absent: none is asked for. */
  readonly auth?: Authenticator;
  /** At least 0 and less than 1; spreads what must not come together. */
  random?(): number;
  /** Devices that come in, and go before subscribers. */
  readonly arrivals?: Arrivals;
  /** Absent: every command is answered with `not_supported`. */
  readonly commands?: CommandHandler;
  onLog?(entry: FeedLog): void;
  /** A defect showed with one connection, which is closed for it; absent: it is thrown on, and ends everything. */
  onDefect?(affected: Affected, cause: unknown): void;
}

/** All subscribers whose messages are framed alike, and the loop that writes to them. */
export interface Transport {
  readonly audience: Audience;
  readonly sessions: SessionSurroundings<Connection>;
  readonly loop: FlushLoop;
  readonly tally: TransportTally;
}

/** Who comes in. */
export interface Arrival {
  readonly transportSocket: TransportSocket;
  readonly socket: Socket;
  /** As people write it. */
  readonly address: string;
  /** The client id asked for; one is made where it is absent. */
  readonly wantedId?: string | undefined;
  /** Nothing is said to it unasked until `begin`. */
  readonly quiet?: boolean;
  /** What became of the token that it brought; absent: it brought none, and may yet show one. */
  readonly verdict?: Verdict | undefined;
}

/** Everybody who follows the feed, whatever the transport. One timer for all of them; nothing waits for any of them. */
export class SubscriberRegistry {
  readonly clock: Clock;
  readonly auth: Authenticator;
  #limits: FeedServerLimits;
  readonly #options: SubscriberRegistryOptions;
  readonly #transports: Transport[] = [];
  readonly #attendance: Presence;
  readonly #desk: SessionService;
  readonly #random: () => number;
  readonly #perAddress = new AddressCount();
  readonly #watch: ConnectionWatch;
  readonly #arrivals: TokenBucket;
  readonly #pace: AddressPace;
  readonly #stopListening: () => void;
  #beat: Timer | undefined;
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
    this.auth = options.auth ?? new Authenticator(undefined, this.clock);
    this.#stopListening = this.auth.onReplaced(() => this.#judgeAnew());
    const hears = (topic: string): boolean => this.hears(topic);
    this.#attendance = new Presence({ store: options.store, resumeMs: this.limits.resumeMs, hears });
    const access = new Authorizer({
      authenticator: this.auth,
      clock: this.clock,
      letIn: (connection) => this.#letIn(connection),
      refused: (address, message) => this.log('refused', address, undefined, message),
      attempt: this.#attempt,
    });
    this.#desk = new SessionService(access, this.#attendance, this.clock, options.commands, this.#attempt);
    const { connectsPerSecond, connectBurst } = this.limits;
    const { connectsPerSecondPerAddress, connectBurstPerAddress } = this.limits;
    this.#arrivals = new TokenBucket(connectsPerSecond, connectBurst);
    this.#pace = new AddressPace(connectsPerSecondPerAddress, connectBurstPerAddress);
  }

  get limits(): FeedServerLimits {
    return this.#limits;
  }

  /** Other limits hold for whoever comes from now on; nobody who is here is sent away for them. */
  #follow(limits: LiveLimits): void {
    this.#limits = { ...this.#limits, ...limits };
    this.#pace.follow(limits.connectsPerSecondPerAddress, limits.connectBurstPerAddress);
    for (const { loop, sessions } of this.#transports) {
      loop.follow(limits.flushWindowMs);
      sessions.follow(announced(this.#limits));
    }
  }

  /** A further kind of transport; to be asked for once for each. */
  transport(name: TransportName, framer: Framer): Transport {
    const audience = new Audience(this.#options.store, framer, {
      pending: () => loop.request(),
      overfull: () => loop.overfull(),
      paced: () => loop.pace(),
    });
    const flush = ({ sink }: Subscriber, now: Instant): void => {
      if (!(sink instanceof Connection)) return;
      try {
        this.#watch.flush(sink, now);
      } catch (cause) {
        this.#broke(sink, cause);
      }
    };
    const { arrivals } = this.#options;
    const loop = new FlushLoop(audience, this.clock, flush, this.limits.flushWindowMs, arrivals);
    const { pingIntervalMs, pingTimeoutMs } = this.limits;
    const limits = announced(this.limits);
    const now = this.clock.now();
    const sessions = new SessionSurroundings(
      audience,
      this.#desk,
      limits,
      pingIntervalMs,
      pingTimeoutMs,
      now,
    );
    const transport = { audience, sessions, loop, tally: new TransportTally(name) };
    this.#transports.push(transport);
    return transport;
  }

  get transports(): readonly Transport[] {
    return this.#transports;
  }

  /** Everybody who is connected and was let in. */
  clients(): readonly ClientEntry[] {
    return this.#desk.clients();
  }

  /** Whether any subscriber would hear an event of this topic. */
  hears(topic: string): boolean {
    return this.#transports.some(({ audience }) => audience.hears(topic));
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
   * To be asked before a connection is taken in: whether there is room now. Else the seconds after which to come back,
   * spread so that not all who are refused come back together.
   */
  retryAfterS(address: string): number | undefined {
    const full = this.#closing !== undefined || this.#size >= this.limits.maxConnections;
    const { monoMs } = this.clock.now();
    // One address that comes too fast takes nothing from what all of them share.
    const steady = full || isLoopback(address) || this.#pace.take(address, monoMs);
    if (!full && steady && this.#arrivals.take(monoMs)) return undefined;
    return 1 + Math.floor(this.#random() * MOST_RETRY_S);
  }

  /**
   * Takes a connection in and welcomes it, unless it is quiet. One that is not to stay gets the reason and is closed; its
   * `session` is undefined. In either case `leave` is to be called once its socket is closed.
   */
  admit(transport: Transport, arrival: Arrival): Connection {
    const { transportSocket, socket, address, wantedId, quiet = false, verdict } = arrival;
    const now = this.clock.now();
    const connection = new Connection(transportSocket, socket, address, transport.audience);
    connection.quiet = quiet;
    const id = wantedId ?? `c_${randomBytes(6).toString('base64url')}`;
    transport.tally.came(connection);
    this.#perAddress.add(address);
    if (this.#closing !== undefined) {
      connection.close('draining', now, RETURNING_PER_SECOND);
      return connection;
    }
    const most = this.limits.maxConnectionsPerAddress;
    if (!isLoopback(address) && this.#perAddress.of(address) > most) {
      const message = `${address} holds ${most} connections already.`;
      return reject(connection, { code: 'connection_limit', message, reason: 'connection_limit' }, now);
    }
    if (verdict?.ok === false) {
      this.log('refused', address, wantedId, verdict.message);
      const reason = verdict.code === 'rate_limited' ? 'rate_limited' : 'unauthorized';
      return reject(connection, { ...verdict, reason }, now);
    }
    const grant = verdict?.grant ?? (this.auth.required ? undefined : this.auth.openGrant(address));
    if (grant !== undefined && !this.#attendance.isFree(id, ownerOf(grant))) {
      return reject(connection, idInUse(id), now);
    }
    connection.grant = grant;
    if (grant === undefined) connection.tokenDueAtMs = now.monoMs + this.limits.authTimeoutMs;
    // 128 bits that are a secret, and 48 that are none.
    const [secret = '', tag = ''] = [16, 6].map((bytes) => randomBytes(bytes).toString('base64url'));
    const memory = new SessionMemory(secret, id, tag);
    connection.start(new FeedSession(transport.sessions, connection, memory, now));
    if (grant !== undefined) this.#letIn(connection);
    this.#watch.add(connection);
    this.#armBeat();
    if (!quiet) connection.session?.welcome(now);
    return connection;
  }

  /** A quiet connection is welcomed, and from now on gets what it did not ask for, too. */
  begin(connection: Connection): void {
    this.#attempt(connection, () => connection.begin(this.clock.now()));
  }

  /** A message came in over a connection. */
  receive(connection: Connection, text: string): void {
    this.#attempt(connection, () => connection.receive(text, this.clock.now()));
  }

  readonly #attempt: Attempt = (connection, act) => {
    try {
      act();
    } catch (cause) {
      this.#broke(connection, cause);
    }
  };

  /** Something threw that nothing should while one connection was looked after; all others go on. */
  #broke(connection: Connection | undefined, cause: unknown): void {
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
    connection?.breakOff(this.clock.now());
  }

  /** The socket of a connection is closed. */
  leave(connection: Connection, why: string): void {
    const reason = connection.closedFor ?? why;
    if (!this.#transports.some(({ tally }) => tally.left(connection, reason))) return;
    const { address, clientId } = connection;
    connection.dismiss();
    if (this.#attendance.leave(connection, reason, this.clock.now())) {
      this.log('disconnected', address, clientId, reason);
    }
    this.#watch.delete(connection);
    this.#perAddress.remove(address);
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

  /** Tells every subscriber to come back later, spread over time, and closes. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const now = this.clock.now();
    const spreadMs = Math.max(1_000, (this.#attendance.size / RETURNING_PER_SECOND) * 1_000);
    const gone = new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
    for (const connection of [...this.#connections()]) {
      connection.close('draining', now, Math.round(this.#random() * spreadMs));
    }
    if (this.#size > 0) await gone;
    for (const { loop, audience } of this.#transports) {
      loop.stop();
      audience.close();
    }
    this.#beat?.cancel();
    this.#stopListening();
  }

  /** It may do something: it is let in, unless its client id is somebody else's by now. */
  #letIn(connection: Connection): Refused | undefined {
    const { session, address } = connection;
    if (session === undefined) return undefined;
    const now = this.clock.now();
    const { memory } = session;
    const owner = this.#desk.access.ownerOf(connection);
    if (!this.#attendance.isFree(memory.clientId, owner)) return idInUse(memory.clientId);
    memory.owner = owner;
    connection.letIn(now);
    this.#attendance.letIn(connection, memory, now);
    this.log('connected', address, memory.clientId, this.#desk.access.subjectOf(connection));
    return undefined;
  }

  /** Other tokens hold from now on: whose is no longer good for the same, goes. */
  #judgeAnew(): void {
    for (const connection of this.#connections()) {
      void this.#desk.access.holds(connection).then((holds) => {
        if (!holds) connection.close('unauthorized', this.clock.now());
      });
    }
  }

  #armBeat(): void {
    this.#beat ??= this.clock.setTimer(this.clock.now().monoMs + BEAT_MS, () => {
      this.#beat = undefined;
      if (this.#size > 0 || this.#options.store.isAging) this.#armBeat();
      this.#tick();
    });
  }

  /** Once a second: positions, tokens that are over, reminders, and whoever has been silent or stuck for too long. */
  #tick(): void {
    const now = this.clock.now();
    this.#options.store.age(now);
    this.#attendance.expire(now);
    for (const { audience } of this.#transports) audience.tellPositions();
    this.#watch.nextSecond();
    for (const connection of this.#connections()) {
      this.#attempt(connection, () => this.#lookAfter(connection, now));
    }
    this.#watch.judgeAll(now);
  }

  #lookAfter(connection: Connection, now: Instant): void {
    const reason = this.#desk.access.over(connection, now);
    if (reason !== undefined) connection.close(reason, now);
    const { subscriber, session, closing } = connection;
    // Its session may be another connection's by now.
    if (closing) return;
    subscriber.remind(now);
    session?.remind(now);
    this.#watch.pingInTurn(connection, now);
  }
}
