import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { Audience } from '../../feed/audience.ts';
import type { Framer } from '../../feed/encoder.ts';
import { TokenBucket } from '../../feed/rate-limits.ts';
import { FeedSession } from '../../feed/session.ts';
import { SessionMemory } from '../../feed/session-memory.ts';
import type { FeedStore } from '../../feed/store.ts';
import type { CloseReason } from '../../feed/wire/close-code.ts';
import type { FeedErrorCode } from '../../feed/wire/feed-error.ts';
import type { ClientEntry } from '../../feed/wire/server-messages.ts';
import type { Instant } from '../../instant.ts';
import { type Clock, systemClock, type Timer } from '../clock.ts';
import { AddressCount, AddressPace } from '../http/address-caps.ts';
import { isLoopback } from '../http/caller.ts';
import { type CommandHandler, carryOut } from './command-desk.ts';
import { type Carrier, Connection } from './connection.ts';
import { FlushLoop } from './flush-loop.ts';
import { announced, DEFAULT_FEED_LIMITS, type FeedServerLimits } from './limits.ts';
import { ParkedSessions } from './parked-sessions.ts';
import { PingWheel } from './ping-wheel.ts';
import { type TransportName, TransportTally } from './transport-tally.ts';

const BEAT_MS = 1_000;
/** Reconnecting clients are spread so that about this many come back per second. */
const RETURNING_PER_SECOND = 100;
/** Where it is told who comes and goes. */
const PRESENCE_TOPIC = 'clients';
/** Who is told to come back later is told a random number of seconds, up to this. */
const MOST_RETRY_S = 10;

/** Something about one subscriber that is worth a line in the log. */
export interface FeedLog {
  readonly event: 'connected' | 'disconnected' | 'refused' | 'error';
  readonly address: string;
  readonly client?: string;
  readonly detail?: string;
}

export interface RosterOptions extends Partial<FeedServerLimits> {
  readonly store: FeedStore;
  readonly clock?: Clock;
  /** Absent: every command is answered with `not_supported`. */
  readonly commands?: CommandHandler;
  onLog?(entry: FeedLog): void;
}

/** All subscribers whose messages are framed alike, and the loop that writes to them. */
export interface Transport {
  readonly audience: Audience;
  readonly loop: FlushLoop;
  readonly tally: TransportTally;
}

/** Who comes in. */
export interface Arrival {
  readonly carrier: Carrier;
  readonly socket: Socket;
  /** As people write it. */
  readonly address: string;
  /** The client id asked for; one is made where it is absent. */
  readonly wantedId?: string | undefined;
}

interface Attendance {
  readonly id: string;
  readonly address: string;
}

/** Everybody who follows the feed, whatever the transport. One timer for all of them; nothing waits for any of them. */
export class Roster {
  readonly limits: FeedServerLimits;
  readonly clock: Clock;
  readonly #options: RosterOptions;
  readonly #transports: Transport[] = [];
  readonly #bySubscriber = new Map<unknown, Connection>();
  readonly #byId = new Map<string, Connection>();
  readonly #attendance = new Map<Connection, Attendance>();
  readonly #perAddress = new AddressCount();
  readonly #wheel: PingWheel<Connection>;
  /** Pinged and not heard since, or too full to be written to. */
  readonly #watched = new Set<Connection>();
  readonly #bySecret = new Map<string, Connection>();
  readonly #parked: ParkedSessions;
  readonly #arrivals: TokenBucket;
  readonly #pace: AddressPace;
  /** Somebody listened to who comes and goes; from then on it is told, so that nobody who returns has missed any of it. */
  #presenceWanted = false;
  #heldBytes = 0;
  #beat: Timer | undefined;
  #closing: Promise<void> | undefined;
  #allGone: (() => void) | undefined;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.limits = { ...DEFAULT_FEED_LIMITS, ...options };
    this.clock = options.clock ?? systemClock;
    this.#wheel = new PingWheel(this.limits.pingIntervalMs);
    this.#parked = new ParkedSessions(this.limits.resumeMs);
    const { connectsPerSecond, connectBurst } = this.limits;
    const { connectsPerSecondPerAddress, connectBurstPerAddress } = this.limits;
    this.#arrivals = new TokenBucket(connectsPerSecond, connectBurst);
    this.#pace = new AddressPace(connectsPerSecondPerAddress, connectBurstPerAddress);
  }

  /** A further kind of transport; to be asked for once for each. */
  transport(name: TransportName, framer: Framer): Transport {
    const audience = new Audience(this.#options.store, framer, {
      pending: () => loop.request(),
      overfull: () => audience.settle(this.clock.now()),
      paced: () => loop.pace(),
    });
    const flush = (subscriber: unknown, now: Instant): void => {
      const connection = this.#bySubscriber.get(subscriber);
      if (connection !== undefined) this.#flush(connection, now);
    };
    const loop = new FlushLoop(audience, this.clock, flush, this.limits.flushWindowMs);
    const transport = { audience, loop, tally: new TransportTally(name) };
    this.#transports.push(transport);
    return transport;
  }

  get transports(): readonly Transport[] {
    return this.#transports;
  }

  /** Everybody who is connected. */
  clients(): ClientEntry[] {
    const entries: ClientEntry[] = [];
    for (const { session, closing } of this.#byId.values()) {
      if (session !== undefined && !closing) entries.push(session.entry);
    }
    return entries;
  }

  /** Whether any subscriber would hear an event of this topic. */
  hears(topic: string): boolean {
    return this.#transports.some(({ audience }) => audience.hears(topic));
  }

  /** Bytes that wait for all subscribers together, roughly. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * To be asked before a connection is taken in: whether there is room now. Else the seconds after which to come back,
   * spread so that not all who are refused come back together.
   */
  retryAfterS(address: string): number | undefined {
    const full = this.#closing !== undefined || this.#bySubscriber.size >= this.limits.maxConnections;
    const { monoMs } = this.clock.now();
    // One address that comes too fast takes nothing from what all of them share.
    const steady = full || isLoopback(address) || this.#pace.take(address, monoMs);
    if (!full && steady && this.#arrivals.take(monoMs)) return undefined;
    return 1 + Math.floor(Math.random() * MOST_RETRY_S);
  }

  /**
   * Takes a connection in and welcomes it. Who is not to stay is told so and closed; its `session` is undefined. In
   * either case `leave` is to be called once its socket is closed.
   */
  admit(transport: Transport, { carrier, socket, address, wantedId }: Arrival): Connection {
    const now = this.clock.now();
    const connection = new Connection(carrier, socket, transport.audience);
    const id = wantedId ?? `c_${randomBytes(6).toString('base64url')}`;
    this.#bySubscriber.set(connection.subscriber, connection);
    transport.tally.came(connection);
    this.#attendance.set(connection, { id, address });
    this.#perAddress.add(address);
    if (this.#closing !== undefined) {
      connection.close('draining', now, RETURNING_PER_SECOND);
      return connection;
    }
    const refusal = this.#refusal(id, address);
    if (refusal !== undefined) {
      const { code, message, reason } = refusal;
      connection.subscriber.send('error', { code, message, retry: true }, now);
      connection.close(reason, now);
      return connection;
    }
    this.#byId.set(id, connection);
    // 128 bits.
    const memory = new SessionMemory(randomBytes(16).toString('base64url'), id);
    this.#bySecret.set(memory.secret, connection);
    this.#tellPresence('joined', id, address);
    connection.start(this.#session(transport.audience, connection, memory, address, now));
    this.#wheel.add(connection);
    this.#armBeat();
    connection.session?.welcome(now);
    this.log('connected', address, id);
    return connection;
  }

  /** The socket of a connection is closed. */
  leave(connection: Connection, why: string): void {
    const attendance = this.#attendance.get(connection);
    if (attendance === undefined) return;
    const { id, address } = attendance;
    this.#attendance.delete(connection);
    for (const { tally } of this.#transports) tally.left(connection, connection.closedFor ?? why);
    connection.dismiss();
    this.#bySubscriber.delete(connection.subscriber);
    if (this.#byId.get(id) === connection) {
      this.#byId.delete(id);
      this.log('disconnected', address, id, connection.closedFor ?? why);
      this.#tellPresence('left', id, address, connection.closedFor ?? why);
    }
    this.#park(connection);
    this.#wheel.delete(connection);
    this.#watched.delete(connection);
    this.#heldBytes -= connection.counted;
    this.#perAddress.remove(address);
    if (this.#bySubscriber.size === 0) this.#allGone?.();
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
    const spreadMs = Math.max(1_000, (this.#byId.size / RETURNING_PER_SECOND) * 1_000);
    const gone = new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
    for (const connection of [...this.#bySubscriber.values()]) {
      connection.close('draining', now, Math.round(Math.random() * spreadMs));
    }
    if (this.#bySubscriber.size > 0) await gone;
    for (const { loop, audience } of this.#transports) {
      loop.stop();
      audience.close();
    }
    this.#beat?.cancel();
  }

  #session(
    audience: Audience,
    connection: Connection,
    memory: SessionMemory,
    address: string,
    now: Instant,
  ): FeedSession {
    const count = (): number => this.#byId.size;
    return new FeedSession(
      {
        audience,
        subscriber: connection.subscriber,
        address,
        memory,
        limits: announced(this.limits),
        pingIntervalMs: this.limits.pingIntervalMs,
        pingTimeoutMs: this.limits.pingTimeoutMs,
        port: {
          clients: () => this.clients(),
          get clientCount() {
            return count();
          },
          command: (command, client, done) => {
            void carryOut(command, client, this.#options.commands, this.clock).then((outcome) =>
              done(outcome, this.clock.now()),
            );
          },
          resume: (secret) => this.#resume(secret, connection, address),
          mayKick: isLoopback(address),
          kick: (clientId) => {
            const kicked = this.#byId.get(clientId);
            kicked?.close('kicked', this.clock.now());
            return kicked !== undefined;
          },
          traffic: () => connection.traffic,
          close: (reason) => connection.close(reason, this.clock.now()),
        },
      },
      now,
    );
  }

  /** The session of this secret moves to this connection, its client id too where nobody else took it meanwhile. */
  #resume(secret: string, connection: Connection, address: string): SessionMemory | undefined {
    const now = this.clock.now();
    const former = this.#bySecret.get(secret);
    const memory = former?.session?.memory ?? this.#parked.take(secret, now.monoMs);
    const attendance = this.#attendance.get(connection);
    if (memory === undefined || attendance === undefined) return undefined;
    former?.close('taken_over', now);
    const fresh = connection.session?.memory.secret;
    if (fresh !== undefined) this.#bySecret.delete(fresh);
    this.#bySecret.set(secret, connection);
    const holder = this.#byId.get(memory.clientId);
    if (holder === undefined || holder === former) {
      if (former !== undefined) this.#tellPresence('left', memory.clientId, address, 'taken_over');
      this.#byId.delete(attendance.id);
      this.#byId.set(memory.clientId, connection);
      this.#attendance.set(connection, { id: memory.clientId, address });
      this.#tellPresence('left', attendance.id, address, 'resumed');
      this.#tellPresence('joined', memory.clientId, address);
    } else memory.clientId = attendance.id;
    return memory;
  }

  #park(connection: Connection): void {
    const memory = connection.session?.memory;
    // A session that was taken over belongs to another connection by now.
    if (memory === undefined || this.#bySecret.get(memory.secret) !== connection) return;
    this.#bySecret.delete(memory.secret);
    if (memory.listener === connection.session) memory.listener = undefined;
    if (connection.closedFor !== 'kicked') this.#parked.park(memory, this.clock.now().monoMs);
  }

  #tellPresence(event: 'joined' | 'left', id: string, address: string, reason?: string): void {
    this.#presenceWanted ||= this.hears(PRESENCE_TOPIC);
    if (!this.#presenceWanted) return;
    const why = reason === undefined ? {} : { reason };
    this.#options.store.publishEvent(PRESENCE_TOPIC, { event, id, address, ...why });
  }

  #refusal(
    id: string,
    address: string,
  ): { code: FeedErrorCode; message: string; reason: CloseReason } | undefined {
    if (this.#byId.get(id)?.closing === false) {
      const message = `Another connection goes by the client id "${id}"; who has its session may resume it over /ws.`;
      return { code: 'client_id_in_use', message, reason: 'forbidden' };
    }
    const most = this.limits.maxConnectionsPerAddress;
    if (!isLoopback(address) && this.#perAddress.of(address) > most) {
      const message = `${address} holds ${most} connections already.`;
      return { code: 'connection_limit', message, reason: 'connection_limit' };
    }
    return undefined;
  }

  #flush(connection: Connection, now: Instant): void {
    if (connection.closing) return;
    connection.flush(now);
    const { held } = connection.subscriber;
    this.#heldBytes += held - connection.counted;
    connection.counted = held;
    if (connection.subscriber.full) this.#watched.add(connection);
    if (this.#heldBytes > this.limits.maxHeldBytes) this.#dropWorst(now);
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

  #armBeat(): void {
    this.#beat ??= this.clock.setTimer(this.clock.now().monoMs + BEAT_MS, () => {
      this.#beat = undefined;
      if (this.#bySubscriber.size > 0) this.#armBeat();
      this.#tick();
    });
  }

  /** Once a second: positions, this second's share of the pings, and whoever has been silent or stuck for too long. */
  #tick(): void {
    const now = this.clock.now();
    this.#options.store.age(now);
    this.#parked.expire(now.monoMs);
    for (const { audience } of this.#transports) audience.tellPositions();
    for (const { subscriber } of this.#byId.values()) {
      if (subscriber.window.size > 0) subscriber.remind(now);
    }
    for (const connection of this.#wheel.turn()) {
      connection.sendPing();
      connection.session?.ping(now);
      this.#watched.add(connection);
    }
    for (const connection of this.#watched) this.#watch(connection, now);
  }

  #watch(connection: Connection, now: Instant): void {
    const { pingTimeoutMs, stuckLimitMs } = this.limits;
    if (connection.stuckMs(now) >= stuckLimitMs) connection.close('slow_consumer', now);
    const deadline = connection.pingDeadlineMs(now, pingTimeoutMs);
    if (deadline !== undefined && now.monoMs >= deadline) connection.close('ping_timeout', now);
    if (connection.closing || !connection.awaited) this.#watched.delete(connection);
  }
}
