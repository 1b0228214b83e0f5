import type { Instant } from '../instant.ts';
import type { Audience } from './audience.ts';
import type { CommandOutcome, FeedClient, FeedCommand } from './command.ts';
import { MinuteCount, TokenBucket } from './rate-limits.ts';
import type { SessionMemory } from './session-memory.ts';
import { BROADCAST_TOPIC } from './store.ts';
import type { Subscriber } from './subscriber.ts';
import { type ClientMessage, parseClientMessage } from './wire/client-message.ts';
import type { CloseReason } from './wire/close-code.ts';
import type { FeedErrorCode } from './wire/feed-error.ts';
import { type ClientEntry, type FeedLimits, PROTOCOL_VERSION } from './wire/server-messages.ts';
import { matchesTopic } from './wire/topic.ts';

type Subscribe = Extract<ClientMessage, { readonly type: 'subscribe' }>;

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
  /** `done` is to be called exactly once. */
  command(
    command: FeedCommand,
    client: FeedClient,
    done: (outcome: CommandOutcome, now: Instant) => void,
  ): void;
  /** Takes the session with this secret from whoever has it; undefined where there is none any more. */
  resume(secret: string): SessionMemory | undefined;
  /** This client may close the connections of others. */
  readonly mayKick: boolean;
  /** Closes the connection of another client; false where there is none. */
  kick(clientId: string): boolean;
  /** Bytes over the wire so far. */
  traffic(): { readonly sent: number; readonly received: number };
  /** The connection is to be closed. */
  close(reason: CloseReason): void;
}

export interface SessionOptions {
  readonly audience: Audience;
  readonly subscriber: Subscriber;
  readonly address: string;
  readonly memory: SessionMemory;
  readonly limits: FeedLimits;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  readonly port: SessionPort;
}

/** One client's conversation: its messages in, replies and subscriptions out; knows no transport. */
export class FeedSession {
  readonly #options: SessionOptions;
  readonly #subscriber: Subscriber;
  #memory: SessionMemory;
  /** Nothing was asked for yet that belongs to a session. */
  #fresh = true;
  readonly #rate: TokenBucket;
  readonly #errors = new MinuteCount(ERRORS_PER_MINUTE);
  readonly #refusals = new MinuteCount(REFUSALS_PER_MINUTE);
  #jsonPing = false;
  #lastActivityMs: number;
  readonly #connectedAtMs: number;

  constructor(options: SessionOptions, now: Instant) {
    this.#options = options;
    this.#subscriber = options.subscriber;
    this.#memory = options.memory;
    this.#attach(options.memory);
    this.#rate = new TokenBucket(options.limits.messages_per_second, options.limits.message_burst);
    this.#connectedAtMs = now.wallMs;
    this.#lastActivityMs = now.wallMs;
  }

  get entry(): ClientEntry {
    const { sent, received } = this.#options.port.traffic();
    return {
      ...this.#client,
      connected_at: Math.round(this.#connectedAtMs),
      last_activity: Math.round(this.#lastActivityMs),
      subscriptions: this.#subscriber.interests.patterns,
      backlog: this.#subscriber.held,
      bytes_sent: sent,
      bytes_received: received,
    };
  }

  /** What is to be kept when the connection is gone. */
  get memory(): SessionMemory {
    return this.#memory;
  }

  get #client(): FeedClient {
    return { id: this.#memory.clientId, address: this.#options.address };
  }

  welcome(now: Instant): void {
    const { audience, limits, pingIntervalMs, pingTimeoutMs } = this.#options;
    this.#subscriber.send(
      'welcome',
      {
        client_id: this.#memory.clientId,
        session: this.#memory.secret,
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
      this.#subscriber.answer('error', parsed.error, now);
      this.#countError(now);
    }
  }

  /** A protocol ping or pong is a sign of life too. */
  heard(now: Instant): void {
    this.#lastActivityMs = now.wallMs;
  }

  answerCommand(replyTo: string | undefined, outcome: CommandOutcome, now: Instant): void {
    if (outcome.ok) {
      this.#subscriber.answer('response', { ...reply(replyTo), result: outcome.result }, now);
      return;
    }
    const { code, message, retry } = outcome;
    this.#subscriber.answer('error', { ...reply(replyTo), code, message, retry }, now);
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
        this.#subscribe(message, now);
        return;
      case 'unsubscribe':
        this.#unsubscribe(message.topics, id, now);
        return;
      case 'resync':
        this.#resync(message.topics, id, now);
        return;
      case 'ping': {
        const timestamp = message.timestamp === undefined ? {} : { timestamp: message.timestamp };
        this.#subscriber.answer('pong', { ...reply(id), ...timestamp }, now);
        return;
      }
      case 'pong':
        return;
      case 'echo':
        this.#subscriber.answer('echo', { ...reply(id), data: message.data }, now);
        return;
      case 'get_clients': {
        const clients = this.#options.port.clients();
        this.#subscriber.answer('clients_list', { ...reply(id), clients, count: clients.length }, now);
        return;
      }
      case 'broadcast': {
        const recipients = this.#options.port.clientCount;
        this.#options.audience.store.publishBroadcast(this.#memory.clientId, message.data);
        this.#subscriber.answer('broadcast_ack', { ...reply(id), recipients }, now);
        return;
      }
      case 'command':
        this.#command(message, now);
        return;
      case 'ack':
        for (const each of message.ids) this.#subscriber.window.acknowledge(each);
        this.#options.audience.wake(this.#subscriber);
        return;
      case 'resume':
        this.#resume(message.session, id, now);
        return;
      case 'kick':
        this.#kick(message.clientId, id, now);
        return;
    }
  }

  #subscribe({ id, topics, jsonPing, since, maxHz, ack }: Subscribe, now: Instant): void {
    const { audience, limits } = this.#options;
    const { interests } = this.#subscriber;
    const former = interests.patterns;
    if (new Set([...former, ...topics]).size > limits.max_patterns) {
      const message = `A client may subscribe to ${limits.max_patterns} patterns at once.`;
      this.#fail(id, 'too_many_patterns', message, now);
      return;
    }
    this.#fresh = false;
    if (jsonPing !== undefined) this.#jsonPing = jsonPing;
    this.#subscriber.settle(now);
    interests.add(topics, { maxHz, ack });
    audience.assign(this.#subscriber, interests.patterns, now);
    const rev = since === undefined ? undefined : audience.store.recoverable(since);
    if (rev === undefined) {
      this.#subscriber.startSnapshot(topics, id);
      return;
    }
    const news = (topic: string): boolean => !former.some((pattern) => matchesTopic(pattern, topic));
    this.#subscriber.startRecovery(topics, rev, id, news, now);
  }

  #unsubscribe(topics: readonly string[], id: string | undefined, now: Instant): void {
    const { interests } = this.#subscriber;
    const unknown = topics.find((topic) => !interests.has(topic));
    if (unknown !== undefined) {
      this.#fail(id, 'not_subscribed', `There is no subscription to "${unknown}".`, now);
      return;
    }
    this.#subscriber.settle(now);
    interests.delete(topics);
    this.#options.audience.assign(this.#subscriber, interests.patterns, now);
    this.#subscriber.forget(topics, (topic) => topic === BROADCAST_TOPIC || interests.hears(topic));
    this.#subscriber.send('response', { ...reply(id), result: { unsubscribed: topics } }, now);
  }

  #command(message: Extract<ClientMessage, { readonly type: 'command' }>, now: Instant): void {
    const { id, device, message: name, fields, timeoutMs = DEFAULT_COMMAND_TIMEOUT_MS } = message;
    const memory = this.#memory;
    if (memory.inFlight >= MAX_COMMANDS_IN_FLIGHT) {
      this.#fail(id, 'too_many_commands', `${MAX_COMMANDS_IN_FLIGHT} commands wait already.`, now, true);
      return;
    }
    this.#fresh = false;
    const command: FeedCommand = { device, message: name, fields, timeoutMs };
    const asked = memory.ask(id, command);
    if (asked === 'other') {
      this.#fail(id, 'bad_field', `The id "${id}" was used for another command in this session.`, now);
    } else if (asked === 'new') {
      memory.inFlight++;
      this.#options.port.command(command, this.#client, (outcome, at) => {
        memory.inFlight--;
        memory.settle(id, outcome, at);
      });
    } else if (asked !== 'pending') this.answerCommand(id, asked, now);
  }

  /** Goes on with a session that another connection had. */
  #resume(secret: string, id: string | undefined, now: Instant): void {
    if (!this.#fresh) {
      this.#fail(id, 'resume_too_late', 'A session is resumed before anything else is asked for.', now);
      return;
    }
    const memory = secret === this.#memory.secret ? this.#memory : this.#options.port.resume(secret);
    if (memory === undefined) {
      this.#fail(id, 'session_unknown', 'There is no such session any more; this one is new.', now);
      return;
    }
    this.#fresh = false;
    this.#attach(memory);
    const result = { client_id: memory.clientId, unacknowledged: memory.window.size };
    this.#subscriber.send('response', { ...reply(id), result }, now);
  }

  #kick(clientId: string, id: string | undefined, now: Instant): void {
    const { port } = this.#options;
    if (!port.mayKick) {
      this.#fail(id, 'forbidden', 'Only clients on the machine of the bridge may kick others.', now);
    } else if (!port.kick(clientId)) {
      this.#fail(id, 'client_unknown', `No client goes by the id "${clientId}".`, now);
    } else this.#subscriber.answer('response', { ...reply(id), result: { kicked: clientId } }, now);
  }

  #attach(memory: SessionMemory): void {
    if (this.#memory.listener === this) this.#memory.listener = undefined;
    this.#memory = memory;
    memory.listener = this;
    this.#subscriber.resume(memory.window);
  }

  #resync(topics: readonly string[], id: string | undefined, now: Instant): void {
    const foreign = topics.find((topic) => !this.#subscriber.interests.hears(topic));
    if (foreign !== undefined) {
      this.#fail(id, 'not_subscribed', `No subscription covers "${foreign}".`, now);
      return;
    }
    this.#subscriber.send('response', { ...reply(id), result: { resyncing: topics } }, now);
    this.#subscriber.startResync(topics);
  }

  #fail(
    replyTo: string | undefined,
    code: FeedErrorCode,
    message: string,
    now: Instant,
    retry = false,
  ): void {
    this.#subscriber.answer('error', { ...reply(replyTo), code, message, retry }, now);
    this.#countError(now);
  }

  #countError(now: Instant): void {
    if (!this.#errors.add(now.monoMs)) this.#options.port.close('too_many_errors');
  }

  /** Too fast is not wrong: it is counted apart from errors, and a client that slows down may go on. */
  #refuse(replyTo: string | undefined, now: Instant): void {
    const rate = this.#options.limits.messages_per_second;
    const message = `More than ${rate} messages a second; this one was not carried out.`;
    this.#subscriber.answer('error', { ...reply(replyTo), code: 'rate_limited', message, retry: true }, now);
    if (!this.#refusals.add(now.monoMs)) this.#options.port.close('rate_limited');
  }
}

function reply(replyTo: string | undefined): { readonly reply_to?: string } {
  return replyTo === undefined ? {} : { reply_to: replyTo };
}
