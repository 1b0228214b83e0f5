import type { Instant } from '../instant.ts';
import type { Audience } from './audience.ts';
import type { CommandOutcome, FeedClient, FeedCommand } from './command.ts';
import { MinuteCount, TokenBucket } from './rate-limits.ts';
import { BROADCAST_TOPIC } from './store.ts';
import type { Subscriber } from './subscriber.ts';
import { type ClientMessage, parseClientMessage } from './wire/client-message.ts';
import type { CloseReason } from './wire/close-code.ts';
import type { FeedErrorCode } from './wire/feed-error.ts';
import { type ClientEntry, type FeedLimits, PROTOCOL_VERSION } from './wire/server-messages.ts';
import { matchesTopic } from './wire/topic.ts';

const ERRORS_PER_MINUTE = 20;
/** Messages above the rate that are answered with an error before the connection is closed. */
const REFUSALS_PER_MINUTE = 200;
const MAX_COMMANDS_IN_FLIGHT = 32;
const DEFAULT_COMMAND_TIMEOUT_MS = 5_000;

/** What a session asks of whoever runs it. */
export interface SessionPort {
  /** Every client now connected. */
  clients(): readonly ClientEntry[];
  readonly clientCount: number;
  /** To be answered by `answerCommand`, exactly once. */
  command(command: FeedCommand, replyTo: string | undefined): void;
  /** The connection is to be closed. */
  close(reason: CloseReason): void;
}

export interface SessionOptions {
  readonly audience: Audience;
  readonly subscriber: Subscriber;
  readonly client: FeedClient;
  readonly limits: FeedLimits;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly port: SessionPort;
}

/** One client's conversation: its messages in, replies and subscriptions out; knows no transport. */
export class FeedSession {
  readonly #options: SessionOptions;
  readonly #subscriber: Subscriber;
  readonly #patterns = new Set<string>();
  readonly #rate: TokenBucket;
  readonly #errors = new MinuteCount(ERRORS_PER_MINUTE);
  readonly #refusals = new MinuteCount(REFUSALS_PER_MINUTE);
  #commandsInFlight = 0;
  #jsonPing = false;
  #lastActivityMs: number;
  readonly #connectedAtMs: number;

  constructor(options: SessionOptions, now: Instant) {
    this.#options = options;
    this.#subscriber = options.subscriber;
    this.#rate = new TokenBucket(options.limits.messages_per_second, options.limits.message_burst);
    this.#connectedAtMs = now.wallMs;
    this.#lastActivityMs = now.wallMs;
  }

  get entry(): ClientEntry {
    return {
      id: this.#options.client.id,
      address: this.#options.client.address,
      connected_at: Math.round(this.#connectedAtMs),
      last_activity: Math.round(this.#lastActivityMs),
      subscriptions: [...this.#patterns],
      backlog: this.#subscriber.held,
    };
  }

  welcome(now: Instant): void {
    const { client, audience, limits, pingIntervalMs, pingTimeoutMs } = this.#options;
    this.#subscriber.send(
      'welcome',
      {
        client_id: client.id,
        protocol: PROTOCOL_VERSION,
        position: audience.store.position(),
        auth: 'none',
        ping_interval_ms: pingIntervalMs,
        ping_timeout_ms: pingTimeoutMs,
        limits,
      },
      now,
    );
  }

  /** One text message of the client. */
  receive(text: string, now: Instant): void {
    this.#lastActivityMs = now.wallMs;
    const allowed = this.#rate.take(now.monoMs);
    const parsed = parseClientMessage(text);
    if (!allowed) {
      const id = parsed.ok ? parsed.message.id : parsed.error.reply_to;
      this.#refuse(id, now);
    } else if (parsed.ok) this.#handle(parsed.message, now);
    else {
      this.#subscriber.send('error', parsed.error, now);
      this.#countError(now);
    }
  }

  /** A protocol ping or pong is a sign of life too. */
  heard(now: Instant): void {
    this.#lastActivityMs = now.wallMs;
  }

  answerCommand(replyTo: string | undefined, outcome: CommandOutcome, now: Instant): void {
    this.#commandsInFlight--;
    if (outcome.ok) {
      this.#subscriber.send('response', { ...reply(replyTo), result: outcome.result }, now);
      return;
    }
    const { code, message, retry } = outcome;
    this.#subscriber.send('error', { ...reply(replyTo), code, message, retry }, now);
  }

  /** It is sent JSON pings without asking: its transport has none of its own. */
  startJsonPings(): void {
    this.#jsonPing = true;
  }

  /** Sends a JSON ping to who asked for them. */
  ping(now: Instant): void {
    if (this.#jsonPing) this.#subscriber.send('ping', { server_time: Math.round(now.wallMs) }, now);
  }

  #handle(message: ClientMessage, now: Instant): void {
    const { id } = message;
    switch (message.type) {
      case 'subscribe':
        this.#subscribe(message.topics, message.jsonPing, id, now);
        return;
      case 'unsubscribe':
        this.#unsubscribe(message.topics, id, now);
        return;
      case 'resync':
        this.#resync(message.topics, id, now);
        return;
      case 'ping': {
        const timestamp = message.timestamp === undefined ? {} : { timestamp: message.timestamp };
        this.#subscriber.send('pong', { ...reply(id), ...timestamp }, now);
        return;
      }
      case 'pong':
        return;
      case 'echo':
        this.#subscriber.send('echo', { ...reply(id), data: message.data }, now);
        return;
      case 'get_clients': {
        const clients = this.#options.port.clients();
        this.#subscriber.send('clients_list', { ...reply(id), clients, count: clients.length }, now);
        return;
      }
      case 'broadcast': {
        const recipients = this.#options.port.clientCount;
        this.#options.audience.store.publishBroadcast(this.#options.client.id, message.data);
        this.#subscriber.send('broadcast_ack', { ...reply(id), recipients }, now);
        return;
      }
      case 'command': {
        if (this.#commandsInFlight >= MAX_COMMANDS_IN_FLIGHT) {
          this.#fail(id, 'too_many_commands', `${MAX_COMMANDS_IN_FLIGHT} commands wait already.`, now, true);
          return;
        }
        this.#commandsInFlight++;
        const { device, message: name, fields, timeoutMs = DEFAULT_COMMAND_TIMEOUT_MS } = message;
        this.#options.port.command({ device, message: name, fields, timeoutMs }, id);
      }
    }
  }

  #subscribe(
    topics: readonly string[],
    jsonPing: boolean | undefined,
    id: string | undefined,
    now: Instant,
  ): void {
    const most = this.#options.limits.max_patterns;
    const wanted = new Set([...this.#patterns, ...topics]);
    if (wanted.size > most) {
      this.#fail(id, 'too_many_patterns', `A client may subscribe to ${most} patterns at once.`, now);
      return;
    }
    for (const topic of topics) this.#patterns.add(topic);
    if (jsonPing !== undefined) this.#jsonPing = jsonPing;
    this.#options.audience.assign(this.#subscriber, this.#patterns, now);
    this.#subscriber.startSnapshot(topics, id);
  }

  #unsubscribe(topics: readonly string[], id: string | undefined, now: Instant): void {
    const unknown = topics.find((topic) => !this.#patterns.has(topic));
    if (unknown !== undefined) {
      this.#fail(id, 'not_subscribed', `There is no subscription to "${unknown}".`, now);
      return;
    }
    for (const topic of topics) this.#patterns.delete(topic);
    this.#options.audience.assign(this.#subscriber, this.#patterns, now);
    this.#subscriber.forget(topics, (topic) => topic === BROADCAST_TOPIC || this.#hears(topic));
    this.#subscriber.send('response', { ...reply(id), result: { unsubscribed: topics } }, now);
  }

  #resync(topics: readonly string[], id: string | undefined, now: Instant): void {
    const foreign = topics.find((topic) => !this.#hears(topic));
    if (foreign !== undefined) {
      this.#fail(id, 'not_subscribed', `No subscription covers "${foreign}".`, now);
      return;
    }
    this.#subscriber.send('response', { ...reply(id), result: { resyncing: topics } }, now);
    this.#subscriber.startResync(topics);
  }

  #hears(topic: string): boolean {
    for (const pattern of this.#patterns) if (matchesTopic(pattern, topic)) return true;
    return false;
  }

  #fail(
    replyTo: string | undefined,
    code: FeedErrorCode,
    message: string,
    now: Instant,
    retry = false,
  ): void {
    this.#subscriber.send('error', { ...reply(replyTo), code, message, retry }, now);
    this.#countError(now);
  }

  #countError(now: Instant): void {
    if (!this.#errors.add(now.monoMs)) this.#options.port.close('too_many_errors');
  }

  /** Too fast is not wrong: it is counted apart from errors, and a client that slows down may go on. */
  #refuse(replyTo: string | undefined, now: Instant): void {
    const rate = this.#options.limits.messages_per_second;
    const message = `More than ${rate} messages a second; this one was not carried out.`;
    this.#subscriber.send('error', { ...reply(replyTo), code: 'rate_limited', message, retry: true }, now);
    if (!this.#refusals.add(now.monoMs)) this.#options.port.close('rate_limited');
  }
}

function reply(replyTo: string | undefined): { readonly reply_to?: string } {
  return replyTo === undefined ? {} : { reply_to: replyTo };
}
