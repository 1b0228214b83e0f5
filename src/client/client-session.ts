import { type JsonObject, mayReconnect, type ServerMessage } from '../contract/wire/index.ts';
import { ClientError, ownError } from './client-error.ts';
import { Outbox } from './outbox.ts';
import type { Moment } from './ports.ts';
import { type Asked, type Outcome, Requests } from './requests.ts';
import type { ClientStatus, ConnectionState, EventMessage, Lost, SessionEffect } from './session-events.ts';
import { Silence } from './silence.ts';
import { Subscriptions, type Wanted } from './subscriptions.ts';
import type { FeedView } from './view.ts';

export interface ClientSessionOptions {
  readonly backOff: BackOff;
  readonly random: () => number;
  /** There is a token, or a function that gives one. */
  readonly hasToken: boolean;
}

type Welcome = Extract<ServerMessage, { readonly type: 'welcome' }>['payload'];

const WELCOME_LIMIT_MS = 10_000;
/** Where the bridge does not say how often it pings. */
const PING_INTERVAL_MS = 20_000;
/** The close code by which the bridge asks for a new token. */
const TOKEN_EXPIRED = 4002;

/** One thing that happens, to the connection or because the program asks for something: a call of one method. */
export type SessionEvent = (session: ClientSession) => void;

/** One client's side of the feed, over one connection after another: events in, effects out; knows no socket. */
export class ClientSession {
  readonly #options: ClientSessionOptions;
  readonly #requests = new Requests((request, outcome) => this.#settle(request, outcome));
  readonly #outbox = new Outbox();
  readonly #subscriptions = new Subscriptions({
    send: (type, fields) => this.#send(type, fields),
    effect: (effect) => void this.#effects.push(effect),
    giveUp: ({ code, message }) => {
      this.#useless = { code: 1000, reason: code, detail: message };
    },
  });
  #now: Moment;
  #phase: Phase;
  #silence: Silence | undefined;
  #effects: SessionEffect[] = [];
  #status: ClientStatus;
  #lastId = 0;
  #attempt = 0;
  /** Why this connection is to be given up. */
  #useless: Lost | undefined;
  #token: string | undefined;
  /** It was asked for and has not come. */
  #tokenAwaited = false;
  #renewToken = false;
  #session: string | undefined;
  /** That of this connection, for where the former is gone. */
  #fresh = '';
  #clientId: string | undefined;
  /** The view was once the present; and is, on this connection. */
  #reached = false;
  #caughtUp = false;
  #why: Pick<ClientStatus, 'reason' | 'detail' | 'code'> = {};

  constructor(options: ClientSessionOptions, now: Moment) {
    this.#options = options;
    this.#now = now;
    this.#phase = { kind: 'waiting', atMs: Infinity, retryAt: now.wallMs };
    this.#status = { state: 'connecting', since: now.wallMs, attempt: 0 };
  }

  get view(): FeedView {
    return this.#subscriptions.view;
  }

  get status(): ClientStatus {
    return this.#status;
  }

  /** As the bridge calls it now; absent before its first message. */
  get clientId(): string | undefined {
    return this.#clientId;
  }

  /** Handles one event, a call of one of the methods below; returns the effects to perform. */
  handle(event: SessionEvent, now: Moment): readonly SessionEffect[] {
    this.#effects = [];
    this.#now = now;
    event(this);
    // Requests that come too late are rejected, too.
    if (this.#phase.kind === 'closed') this.#requests.closed();
    this.#subscriptions.reconcile();
    const wordsOf = (request: string): JsonObject | undefined => this.#requests.send(request, now.monoMs);
    for (const text of this.#outbox.take(now.monoMs, wordsOf))
      this.#effects.push((handler) => handler.send(text));
    this.#reportStatus();
    return this.#effects;
  }

  /** When `deadline` is to come next, on the monotonic clock; Infinity where nothing is awaited. */
  nextDeadline(): number {
    return Math.min(
      this.#phaseEndsAtMs,
      this.#requests.nextDeadline,
      this.#silence?.nextDeadline ?? Infinity,
      this.#subscriptions.nextDeadline,
      this.#outbox.nextDeadline,
    );
  }

  get #phaseEndsAtMs(): number {
    return 'atMs' in this.#phase ? this.#phase.atMs : Infinity;
  }

  /** Do not wait any longer before the next attempt, nor before the first one. */
  start(): void {
    if (this.#phase.kind === 'waiting') this.#open();
  }

  /** Bytes came over the connection; a message follows, or not. */
  activity(): void {
    this.#silence?.activity(this.#now.monoMs);
  }

  received(message: ServerMessage): void {
    this.activity();
    this.#subscriptions.receive(message);
    switch (message.type) {
      case 'welcome':
        if (this.#phase.kind === 'opening') this.#welcome(message.payload);
        return;
      case 'response':
      case 'broadcast_ack':
      case 'clients_list':
      case 'echo':
      case 'pong':
        this.#answered(message.payload.reply_to, message);
        return;
      case 'error': {
        const { reply_to: replyTo, code, message: text, retry } = message.payload;
        this.#answered(replyTo, new ClientError(code, text, retry));
        return;
      }
      case 'closing': {
        const { code, reason, reconnect, retry_after_ms: afterMs = 0 } = message.payload;
        this.#lose({ code, reason, final: !reconnect, afterMs });
        return;
      }
      case 'snapshot':
      case 'synced':
      case 'update':
      case 'event':
      case 'broadcast':
      case 'gap':
      case 'position':
      case 'ping':
    }
  }

  lost(lost: Lost): void {
    if (this.#phase.kind !== 'waiting' && this.#phase.kind !== 'closed') this.#lose(lost);
  }

  tokenReceived(token: string): void {
    this.#tokenAwaited = false;
    this.#token = token;
    if (this.#phase.kind === 'authenticating') this.#authenticate();
  }

  subscribe(handle: number, wanted: Wanted): void {
    if (this.#phase.kind === 'closed')
      this.#effects.push((handler) => handler.handle(handle, ownError('closed')));
    else this.#subscriptions.add(handle, wanted);
  }

  unsubscribe(handle: number): void {
    this.#subscriptions.remove(handle);
  }

  /** The event with this id was dealt with. */
  acknowledge(id: string): void {
    this.#subscriptions.acknowledge(id, this.#now.monoMs);
  }

  /** It was not: when it is sent again it is news. */
  notTaken(message: EventMessage): void {
    this.view.notTaken(message);
  }

  /** The caller does not wait for the answer any more. */
  abandon(request: number): void {
    this.#requests.abandon(request);
  }

  /** For good; with an error where that was not wanted. */
  close(error?: ClientError): void {
    if (this.#phase.kind === 'closed') return;
    this.#disconnect();
    this.#phase = { kind: 'closed' };
    this.#why = { ...this.#why, reason: error?.code ?? 'closed', detail: error?.message };
    this.#requests.closed();
    this.#reportStatus();
    this.#effects.push((handler) => handler.ended(error));
  }

  #open(): void {
    this.#phase = { kind: 'opening', atMs: this.#now.monoMs + WELCOME_LIMIT_MS };
    this.#effects.push((handler) => handler.openSocket());
  }

  #welcome(welcome: Welcome): void {
    const { messages_per_second: perSecond = 20, message_burst: burst = 20 } = welcome.limits ?? {};
    this.#outbox.begin({ perSecond, burst }, this.#now.monoMs);
    this.#silence = new Silence(welcome.ping_interval_ms || PING_INTERVAL_MS, this.#now.monoMs);
    this.#clientId = welcome.client_id;
    this.#fresh = welcome.session;
    if (welcome.auth !== 'required') this.#resume();
    else if (this.#options.hasToken) this.#authenticate();
    else this.close(ownError('token_missing'));
  }

  /** With the token where there is one already; else once it has come, be it over a later connection. */
  #authenticate(): void {
    const id = this.#token === undefined ? undefined : this.#send('auth', { token: this.#token });
    this.#phase = { kind: 'authenticating', id };
    if (id !== undefined || this.#tokenAwaited) return;
    this.#tokenAwaited = true;
    const renew = this.#renewToken;
    this.#effects.push((handler) => handler.getToken(renew));
    this.#renewToken = false;
  }

  #resume(): void {
    this.#subscriptions.begin();
    if (this.#session === undefined) this.#begin();
    else this.#phase = { kind: 'resuming', id: this.#send('resume', { session: this.#session }) };
  }

  /** In the former session, where there is one. */
  #begin(): void {
    this.#phase = { kind: 'open' };
    this.#session ??= this.#fresh;
    for (const id of this.#requests.unsent()) this.#outbox.push(id);
  }

  #answered(replyTo = '', outcome: Outcome): void {
    const refused = outcome instanceof ClientError;
    if ('id' in this.#phase && this.#phase.id === replyTo) {
      if (this.#phase.kind === 'resuming') this.#resumed(outcome);
      else if (!refused) this.#resume();
      else if (outcome.retry) this.#lose({ code: 1000, reason: outcome.code });
      else this.close(outcome);
    } else if (
      !this.#subscriptions.answered(replyTo, outcome) &&
      !this.#requests.answered(replyTo, outcome) &&
      refused
    )
      this.#effects.push((handler) => handler.error(outcome));
    if (this.#useless !== undefined) this.#lose(this.#useless);
  }

  #resumed(outcome: Outcome): void {
    if (outcome instanceof ClientError || outcome.type !== 'response') {
      this.#requests.sessionLost();
      this.#session = undefined;
    } else this.#clientId = String(outcome.payload.result.client_id);
    this.#begin();
  }

  ask(request: number, asked: Asked): void {
    const { monoMs } = this.#now;
    // Sent later, it would be carried out when the caller does not expect it any more.
    if (this.#status.state === 'stale') {
      this.#settle(request, ownError('not_connected'));
      return;
    }
    const id = this.#newId();
    this.#requests.add(request, id, asked, monoMs);
    if (this.#phase.kind === 'open') this.#outbox.push(id);
  }

  #lose(lost: Lost): void {
    const { code, reason, detail, final = !mayReconnect(code), afterMs = 0 } = lost;
    const word = reason || (this.#phase.kind === 'opening' ? 'unreachable' : 'connection_lost');
    this.#why = { reason: word, detail, code };
    if (final) return this.close(new ClientError(word, detail ?? `The bridge closed with ${code}, ${word}.`));
    this.#disconnect();
    const expired = code === TOKEN_EXPIRED;
    if (expired) {
      this.#token = undefined;
      this.#renewToken = true;
    }
    // A token that expired is no fault of the bridge, unless it happens again and again.
    const { backOff, random } = this.#options;
    const jitterMs = expired && this.#attempt === 0 ? 0 : backOffMs(backOff, this.#attempt, random());
    const delayMs = Math.max(afterMs, jitterMs);
    this.#attempt += 1;
    const { monoMs, wallMs } = this.#now;
    this.#phase = { kind: 'waiting', atMs: monoMs + delayMs, retryAt: Math.round(wallMs + delayMs) };
  }

  #disconnect(): void {
    this.#effects.push((handler) => handler.closeSocket());
    this.#silence = this.#useless = undefined;
    this.#outbox.end();
    this.#subscriptions.end();
    this.#caughtUp = false;
    this.#requests.disconnected(this.#now.monoMs);
  }

  deadline(): void {
    const { monoMs } = this.#now;
    this.#requests.expire(monoMs);
    this.#subscriptions.deadline(monoMs);
    if (monoMs >= this.#phaseEndsAtMs) {
      if (this.#phase.kind === 'waiting') this.#open();
      else this.#lose({ code: 1006, reason: 'no_welcome' });
      return;
    }
    const judgement = this.#silence?.judge(monoMs);
    if (judgement === 'ask') this.#send('ping', {});
    if (judgement === 'lost') this.#lose({ code: 1006, reason: 'silent' });
  }

  #send(type: string, fields: JsonObject): string {
    const id = this.#newId();
    this.#outbox.push({ type, id, ...fields });
    return id;
  }

  #newId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }

  #settle(request: number, outcome: Outcome): void {
    this.#effects.push((handler) => handler.settle(request, outcome));
  }

  #reportStatus(): void {
    if (!this.#caughtUp && this.#phase.kind === 'open') this.#caughtUp = this.#subscriptions.synced;
    const state = this.#state;
    if (state === 'connected') {
      this.#reached = true;
      this.#attempt = 0;
      this.#why = {};
    }
    const silent = this.#silence?.stale === true && this.#why.reason === undefined;
    const status: ClientStatus = {
      state,
      since: state === this.#status.state ? this.#status.since : this.#now.wallMs,
      ...(silent ? { reason: 'silent' } : this.#why),
      attempt: this.#attempt,
      retryAt: this.#phase.kind === 'waiting' ? this.#phase.retryAt : undefined,
    };
    if (JSON.stringify(status) === JSON.stringify(this.#status)) return;
    this.#status = status;
    this.#effects.push((handler) => handler.status(status));
  }

  get #state(): ConnectionState {
    const { kind } = this.#phase;
    if (kind === 'closed') return 'closed';
    if (!this.#reached && !this.#caughtUp) return 'connecting';
    if (kind === 'waiting' || kind === 'opening' || this.#silence?.stale === true) return 'stale';
    return this.#caughtUp ? 'connected' : 'recovering';
  }
}

/**
 * Where the connection stands.
 *
 *     waiting ──▶ opening ──welcome──▶ authenticating ──▶ resuming ──▶ open
 *        ▲           │                     │                 │          │
 *        └───────────┴──────── lost ───────┴─────────────────┴──────────┘       closed: for good, from anywhere
 *
 * Subscriptions are stated from `resuming` on. Commands are sent only in `open`: before the former session has
 * answered, it is not known whether asking again is asking twice.
 */
type Phase =
  /** The first two end by themselves, at `atMs`. */
  | { readonly kind: 'waiting'; readonly atMs: number; readonly retryAt: number }
  | { readonly kind: 'opening'; readonly atMs: number }
  /** Until the message of this `id` is answered; without one, the token is awaited. */
  | { readonly kind: 'authenticating'; readonly id: string | undefined }
  | { readonly kind: 'resuming'; readonly id: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' };

interface BackOff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Full jitter: any time up to a bound that doubles with each attempt, so that many clients do not come back as a herd. */
function backOffMs({ firstMs, mostMs }: BackOff, attempt: number, random: number): number {
  return random * Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
}
