import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { Audience } from '../feed/audience.ts';
import { FeedSession } from '../feed/session.ts';
import type { FeedStore } from '../feed/store.ts';
import type { CloseReason } from '../feed/wire/close-code.ts';
import type { FeedErrorCode } from '../feed/wire/feed-error.ts';
import type { ClientEntry } from '../feed/wire/server-messages.ts';
import type { Instant } from '../instant.ts';
import { type Clock, systemClock, type Timer } from './clock.ts';
import { type CommandHandler, carryOut } from './feed/command-desk.ts';
import { Connection } from './feed/connection.ts';
import { callerOf, isLoopback, plainAddress, refusedCaller, requestedClientId } from './feed/door.ts';
import { FlushLoop } from './feed/flush-loop.ts';
import { announced, DEFAULT_FEED_LIMITS, type FeedServerLimits } from './feed/limits.ts';
import { PingWheel } from './feed/ping-wheel.ts';
import { textFrame } from './feed/text-frame.ts';
import type { Admission } from './http/admission.ts';
import { writeAnswer } from './http/raw-answer.ts';

export type { CommandOutcome, FeedClient, FeedCommand } from '../feed/command.ts';
export type { CommandHandler } from './feed/command-desk.ts';

const BEAT_MS = 1_000;
/** Reconnecting clients are spread so that about this many come back per second. */
const RETURNING_PER_SECOND = 100;

/** Something about one subscriber that is worth a line in the log. */
export interface FeedLog {
  readonly event: 'connected' | 'disconnected' | 'refused' | 'error';
  readonly address: string;
  readonly client?: string;
  readonly detail?: string;
}

export interface FeedServerOptions extends Admission, Partial<FeedServerLimits> {
  readonly store: FeedStore;
  readonly clock?: Clock;
  /** Absent: every command is answered with `not_supported`. */
  readonly commands?: CommandHandler;
  onLog?(entry: FeedLog): void;
}

/** Serves a store to WebSocket subscribers. One timer for all of them; nothing waits for any of them. */
export class FeedServer {
  readonly #options: FeedServerOptions;
  readonly #limits: FeedServerLimits;
  readonly #clock: Clock;
  readonly #audience: Audience;
  readonly #loop: FlushLoop;
  readonly #sockets: WebSocketServer;
  readonly #bySubscriber = new Map<unknown, Connection>();
  readonly #byId = new Map<string, Connection>();
  readonly #perAddress = new Map<string, number>();
  readonly #wheel: PingWheel<Connection>;
  /** Pinged and not heard since, or too full to be written to. */
  readonly #watched = new Set<Connection>();
  #heldBytes = 0;
  #beat: Timer | undefined;
  #closing: Promise<void> | undefined;
  #allGone: (() => void) | undefined;

  constructor(options: FeedServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_FEED_LIMITS, ...options };
    this.#clock = options.clock ?? systemClock;
    this.#audience = new Audience(options.store, textFrame, {
      pending: () => this.#loop.request(),
      overfull: () => this.#audience.settle(this.#clock.now()),
    });
    this.#loop = new FlushLoop(this.#audience, this.#clock, (subscriber, now) => {
      const connection = this.#bySubscriber.get(subscriber);
      if (connection !== undefined) this.#flush(connection, now);
    });
    this.#wheel = new PingWheel(this.#limits.pingIntervalMs);
    // Newer than the published types.
    const settings: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: this.#limits.maxMessageBytes,
      closeTimeout: this.#limits.closeTimeoutMs,
    };
    this.#sockets = new WebSocketServer(settings);
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
  hasAudience(topic: string): boolean {
    return this.#audience.hears(topic);
  }

  /** Bytes that wait for all subscribers together, roughly. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes over the connection of an upgrade to `/ws` or `/ws/<client_id>`, or refuses it with an HTTP answer. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const wanted = requestedClientId(request.url ?? '');
    const refused = refusedCaller(callerOf(request), this.#options) ?? ('id' in wanted ? undefined : wanted);
    if (refused !== undefined || !('id' in wanted)) {
      this.#log('refused', plainAddress(request.socket.remoteAddress), undefined, String(refused?.body));
      if (refused !== undefined) writeAnswer(socket, refused);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) =>
      this.#admit(webSocket, request, wanted.id),
    );
  }

  /** Tells every subscriber to come back later, spread over time, and closes. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const now = this.#clock.now();
    const spreadMs = Math.max(1_000, (this.#byId.size / RETURNING_PER_SECOND) * 1_000);
    const gone = new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
    for (const connection of [...this.#bySubscriber.values()]) {
      connection.close('draining', now, Math.round(Math.random() * spreadMs));
    }
    if (this.#bySubscriber.size > 0) await gone;
    this.#loop.stop();
    this.#beat?.cancel();
    this.#audience.close();
  }

  #admit(webSocket: WebSocket, request: IncomingMessage, wantedId: string | undefined): void {
    const now = this.#clock.now();
    const address = plainAddress(request.socket.remoteAddress);
    const connection = new Connection(webSocket, request.socket, this.#audience);
    const id = wantedId ?? `c_${randomBytes(6).toString('base64url')}`;
    this.#bySubscriber.set(connection.subscriber, connection);
    // `ws` reports broken frames here and closes with the right code itself.
    webSocket.on('error', (error) => this.#log('error', address, id, error.message));
    webSocket.on('close', (code) => this.#gone(connection, id, address, code));
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    if (this.#closing !== undefined) {
      connection.close('draining', now, RETURNING_PER_SECOND);
      return;
    }
    const refusal = this.#refusal(id, address);
    if (refusal !== undefined) {
      const { code, message, reason } = refusal;
      connection.subscriber.send('error', { code, message, retry: true }, now);
      connection.close(reason, now);
      return;
    }
    this.#byId.set(id, connection);
    connection.start(this.#session(connection, id, address, now));
    webSocket.on('message', (data, isBinary) => {
      if (isBinary) connection.close('unsupported_data', this.#clock.now());
      else connection.receive(data.toString(), this.#clock.now());
    });
    webSocket.on('ping', (payload) => connection.pinged(payload, this.#clock.now()));
    webSocket.on('pong', () => connection.heard(this.#clock.now()));
    this.#wheel.add(connection);
    this.#armBeat();
    connection.session?.welcome(now);
    this.#log('connected', address, id);
  }

  #session(connection: Connection, id: string, address: string, now: Instant): FeedSession {
    const client = { id, address };
    const count = (): number => this.#byId.size;
    return new FeedSession(
      {
        audience: this.#audience,
        subscriber: connection.subscriber,
        client,
        limits: announced(this.#limits),
        pingIntervalMs: this.#limits.pingIntervalMs,
        pingTimeoutMs: this.#limits.pingTimeoutMs,
        port: {
          clients: () => this.clients(),
          get clientCount() {
            return count();
          },
          command: (command, replyTo) => {
            void carryOut(command, client, this.#options.commands, this.#clock).then((outcome) => {
              if (!connection.closing) connection.session?.answerCommand(replyTo, outcome, this.#clock.now());
            });
          },
          close: (reason) => connection.close(reason, this.#clock.now()),
        },
      },
      now,
    );
  }

  #refusal(
    id: string,
    address: string,
  ): { code: FeedErrorCode; message: string; reason: CloseReason } | undefined {
    if (this.#byId.get(id)?.closing === false) {
      const message = `Another connection goes by the client id "${id}".`;
      return { code: 'client_id_in_use', message, reason: 'forbidden' };
    }
    const most = this.#limits.maxConnectionsPerAddress;
    if (!isLoopback(address) && (this.#perAddress.get(address) ?? 0) > most) {
      const message = `${address} holds ${most} connections already.`;
      return { code: 'connection_limit', message, reason: 'connection_limit' };
    }
    return undefined;
  }

  #gone(connection: Connection, id: string, address: string, code: number): void {
    this.#audience.dismiss(connection.subscriber);
    this.#bySubscriber.delete(connection.subscriber);
    if (this.#byId.get(id) === connection) {
      this.#byId.delete(id);
      this.#log('disconnected', address, id, `code ${code}`);
    }
    this.#wheel.delete(connection);
    this.#watched.delete(connection);
    this.#heldBytes -= connection.counted;
    const others = (this.#perAddress.get(address) ?? 1) - 1;
    if (others === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, others);
    if (this.#bySubscriber.size === 0) this.#allGone?.();
  }

  #flush(connection: Connection, now: Instant): void {
    if (connection.closing) return;
    connection.flush(now);
    const { held } = connection.subscriber;
    this.#heldBytes += held - connection.counted;
    connection.counted = held;
    if (connection.subscriber.full) this.#watched.add(connection);
    if (this.#heldBytes > this.#limits.maxHeldBytes) this.#dropWorst(now);
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
    this.#beat ??= this.#clock.setTimer(this.#clock.now().monoMs + BEAT_MS, () => {
      this.#beat = undefined;
      if (this.#bySubscriber.size > 0) this.#armBeat();
      this.#tick();
    });
  }

  /** Once a second: positions, this second's share of the pings, and whoever has been silent or stuck for too long. */
  #tick(): void {
    const now = this.#clock.now();
    this.#audience.tellPositions();
    for (const connection of this.#wheel.turn()) {
      connection.sendPing();
      connection.session?.ping(now);
      this.#watched.add(connection);
    }
    for (const connection of this.#watched) this.#watch(connection, now);
  }

  #watch(connection: Connection, now: Instant): void {
    const { pingTimeoutMs, stuckLimitMs } = this.#limits;
    if (connection.stuckMs(now) >= stuckLimitMs) connection.close('slow_consumer', now);
    const deadline = connection.pingDeadlineMs(now, pingTimeoutMs);
    if (deadline !== undefined && now.monoMs >= deadline) connection.close('ping_timeout', now);
    if (connection.closing || !connection.awaited) this.#watched.delete(connection);
  }

  #log(event: FeedLog['event'], address: string, client?: string, detail?: string): void {
    this.#options.onLog?.({
      event,
      address,
      ...(client === undefined ? {} : { client }),
      ...(detail === undefined ? {} : { detail }),
    });
  }
}
