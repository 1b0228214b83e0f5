import {
  type ClientEntry,
  type ClientMessage,
  type ClientMessageType,
  COMMAND_TIMEOUT_MS,
  type FeedErrorCode,
  PROTOCOL_VERSION,
  parseClientMessage,
} from '../../contract/feed/index.ts';
import type { CommandOutcome, FeedClient, FeedCommand, RecoveryCut } from '../../contract/index.ts';
import type { Instant } from '../../instant.ts';
import { MinuteCount } from '../../system/index.ts';
import { MAX_OPEN_COMMANDS } from './command-memory.ts';
import type { SessionConnection, SessionContext, SessionPort, SessionTerms } from './session-context.ts';
import type { SessionMemory } from './session-memory.ts';
import { resync, type SubscriptionProblem, subscribe, tooManyPatterns, unsubscribe } from './subscribe.ts';
import type { Subscriber } from './subscriber.ts';

const ERRORS_PER_MINUTE = 20;
/** Messages above the rate that are answered with an error before the connection is closed. */
const REFUSALS_PER_MINUTE = 200;
/** What may arrive while a token is verified: messages, and characters of them. */
const MAX_HELD = 64;
const MAX_HELD_LENGTH = 2 ** 20;

/** The errors of a client within the last minute. */
class Faults {
  readonly errors = new MinuteCount(ERRORS_PER_MINUTE);
  /** Messages above the rate. */
  readonly refusals = new MinuteCount(REFUSALS_PER_MINUTE);
}

type Messages = { readonly [T in ClientMessageType]: Extract<ClientMessage, { readonly type: T }> };
type Handler<T extends ClientMessageType> = (
  session: FeedSession<SessionConnection>,
  message: Messages[T],
  now: Instant,
) => void;
type Handlers = { readonly [T in ClientMessageType]: Handler<T> };

/** One client's session: its messages in, replies and subscriptions out; knows no transport. */
export class FeedSession<Connection extends SessionConnection> {
  /** What each message of a client does. */
  static readonly #handlers: Handlers = {
    auth: (session, { token, id }) => session.#authenticate(token, id),
    subscribe: (session, message, now) => session.#subscribeOnceThere(message, now),
    unsubscribe: (session, { id, topics }, now) => {
      const { audience } = session.#context;
      session.#failed(id, unsubscribe(audience, session.#subscriber, topics, reply(id), now), now);
    },
    resync: (session, { id, topics }, now) =>
      session.#failed(id, resync(session.#subscriber, topics, reply(id), now), now),
    ping: (session, { id, timestamp }, now) => {
      const echoed = timestamp === undefined ? {} : { timestamp };
      session.#subscriber.answer('pong', { ...reply(id), ...echoed }, now);
    },
    pong: (session) => {
      session.#answersPings = session.#jsonPing;
    },
    echo: (session, { id, data }, now) => session.#subscriber.answer('echo', { ...reply(id), data }, now),
    get_clients: (session, { id }) => {
      session.#port.clients(session.#connection, (listed, at) =>
        session.#subscriber.answer('clients_list', { ...reply(id), ...listed }, at),
      );
    },
    broadcast: (session, { id, data }, now) => {
      const recipients = session.#port.clientCount;
      session.#context.audience.store.publishBroadcast(session.#memory.clientId, data);
      session.#subscriber.answer('broadcast_ack', { ...reply(id), recipients }, now);
    },
    command: (session, message, now) => session.#command(message, now),
    ack: (session, { ids }) => {
      for (const id of ids) session.#memory.acknowledge(id);
      session.#context.audience.wake(session.#subscriber);
    },
    resume: (session, { id, session: secret }, now) => session.#resume(secret, id, now),
    add_entry: (session, message, now) => session.#addEntry(message, now),
    kick: (session, message) => session.#kick(message),
  };
  readonly #context: SessionContext<Connection>;
  readonly #terms: SessionTerms;
  readonly #connection: Connection;
  #memory: SessionMemory;
  /** The client did not use the session yet, so that it may still resume another one. */
  #fresh = true;
  /** State of the message rate: from when on the next message is allowed, monotonic ms. */
  #freeAtMs = -Infinity;
  #faults: Faults | undefined;
  /** Messages that arrived while a token is verified, or what is subscribed to is read. */
  #held: { readonly texts: string[]; length: number } | undefined;
  #jsonPing = false;
  #answersPings = false;
  /** Since `startedAtMs`. */
  #lastActivityMs: number;
  readonly #connectedAtMs: number;

  constructor(
    context: SessionContext<Connection>,
    connection: Connection,
    memory: SessionMemory,
    now: Instant,
  ) {
    this.#context = context;
    this.#terms = context.terms;
    this.#connection = connection;
    this.#memory = memory;
    this.#attach(memory);
    this.#connectedAtMs = this.#sinceStartMs(now);
    this.#lastActivityMs = this.#connectedAtMs;
  }

  get entry(): ClientEntry {
    const { sent, received } = this.#connection.traffic;
    const { startedAtMs } = this.#context;
    return {
      ...this.#client,
      connected_at: startedAtMs + this.#connectedAtMs,
      last_activity: startedAtMs + this.#lastActivityMs,
      subscriptions: this.#subscriber.subscriptions.patterns,
      backlog: this.#subscriber.held,
      bytes_sent: sent,
      bytes_received: received,
    };
  }

  /** The part that outlives the connection. */
  get memory(): SessionMemory {
    return this.#memory;
  }

  #sinceStartMs(now: Instant): number {
    return Math.round(now.wallMs) - this.#context.startedAtMs;
  }

  get #subscriber(): Subscriber {
    return this.#connection.subscriber;
  }

  get #port(): SessionPort<Connection> {
    return this.#context.port;
  }

  get #client(): FeedClient {
    return { id: this.#memory.clientId, address: this.#connection.address };
  }

  welcome(now: Instant): void {
    const { audience, pingIntervalMs, pingTimeoutMs } = this.#context;
    const status = this.#port.access.status(this.#connection);
    this.#subscriber.send(
      'welcome',
      {
        client_id: this.#memory.clientId,
        session: this.#memory.secret,
        protocol: PROTOCOL_VERSION,
        position: status === 'required' ? {} : audience.store.position(),
        auth: status,
        ping_interval_ms: pingIntervalMs,
        ping_timeout_ms: pingTimeoutMs,
        limits: this.#terms.limits,
      },
      now,
    );
  }

  /** One text message of the client. */
  receive(text: string, now: Instant): void {
    this.#lastActivityMs = this.#sinceStartMs(now);
    const held = this.#held;
    if (held === undefined) return this.#read(text, now);
    held.length += text.length;
    if (held.texts.push(text) > MAX_HELD || held.length > MAX_HELD_LENGTH)
      this.#connection.close('rate_limited', now);
  }

  #read(text: string, now: Instant): void {
    const freeAtMs = this.#terms.rate.take(this.#freeAtMs, now.monoMs);
    const parsed = parseClientMessage(text);
    if (freeAtMs !== undefined) this.#freeAtMs = freeAtMs;
    if (freeAtMs === undefined) {
      const id = parsed.ok ? parsed.message.id : parsed.error.reply_to;
      this.#refuse(id, now);
    } else if (parsed.ok) {
      const refused = this.#refused(parsed.message);
      if (refused === undefined) this.#handle(parsed.message, now);
      else this.#fail(parsed.message.id, refused.code, refused.message, now);
    } else {
      this.#subscriber.answer('error', parsed.error, now);
      this.#countError(now);
    }
  }

  #refused(message: ClientMessage): SubscriptionProblem | undefined {
    const { access } = this.#port;
    const most = this.#terms.limits.max_patterns;
    // Counting costs nothing; comparing each of very many patterns with many rights does.
    const tooMany = message.type === 'subscribe' && message.topics.length > most;
    if (tooMany && access.status(this.#connection) !== 'required') return tooManyPatterns(most);
    return access.refused(this.#connection, message);
  }

  /** A protocol ping or pong is a sign of life too. */
  touch(now: Instant): void {
    this.#lastActivityMs = this.#sinceStartMs(now);
  }

  answerCommand(replyTo: string | undefined, outcome: CommandOutcome, now: Instant, ackId?: string): void {
    if (outcome.ok) {
      this.#subscriber.answer('response', { ...reply(replyTo), result: outcome.result }, now, ackId);
      return;
    }
    const { code, message, retry } = outcome;
    this.#subscriber.answer('error', { ...reply(replyTo), code, message, retry }, now, ackId);
  }

  /** An answer follows without another message of the client: a command is under way, or a token is being checked. */
  get answersLater(): boolean {
    return this.#memory.commands.busy || this.#held !== undefined;
  }

  /** Sends outcomes again that were not acknowledged in time, as far as the subscriber takes them. */
  remind(now: Instant): void {
    if (!this.#subscriber.full) this.#memory.remind(now);
  }

  /** It gets JSON pings without asking: its transport has no pings. */
  startJsonPings(): void {
    this.#jsonPing = true;
  }

  /** It has answered a JSON ping, and is expected to answer all of them. */
  get answersPings(): boolean {
    return this.#answersPings;
  }

  /** Sends a JSON ping, if the client asked for them. */
  ping(now: Instant): void {
    if (this.#jsonPing) this.#subscriber.send('ping', { server_time: Math.round(now.wallMs) }, now);
  }

  #handle<T extends ClientMessageType>(message: Messages[T], now: Instant): void {
    const handle: Handler<T> = FeedSession.#handlers[message.type];
    handle(this, message, now);
  }

  /** What other instances know may have to be read first: later messages wait behind. */
  #subscribeOnceThere(message: Messages['subscribe'], now: Instant): void {
    const { topics, since } = message;
    const waits = this.#port.awaits?.(this.#connection, topics, since, (then, cut) => {
      this.#subscribe(message, then, cut);
      this.#release(then);
    });
    if (waits === true) this.#held = { texts: [], length: 0 };
    else this.#subscribe(message, now);
  }

  /** Messages that waited are read now. */
  #release(now: Instant): void {
    const held = this.#held?.texts ?? [];
    this.#held = undefined;
    for (const text of held) this.receive(text, now);
  }

  #subscribe(message: Messages['subscribe'], now: Instant, cut?: RecoveryCut): void {
    const { audience } = this.#context;
    const most = this.#terms.limits.max_patterns;
    const problem = subscribe(audience, this.#subscriber, message, most, now, cut);
    this.#failed(message.id, problem, now);
    if (problem !== undefined) return;
    this.#fresh = false;
    if (message.json_ping !== undefined) this.#jsonPing = message.json_ping;
  }

  /** Messages that arrive before the verdict wait for it, and are read under its rights. */
  #authenticate(token: string, id: string | undefined): void {
    this.#held = { texts: [], length: 0 };
    this.#port.access.authenticate(this.#connection, token, (outcome, now) => {
      if (outcome.ok) this.#subscriber.answer('response', { ...reply(id), result: outcome.result }, now);
      else {
        this.#fail(id, outcome.code, outcome.message, now, outcome.retry);
        if (outcome.close !== undefined) this.#connection.close(outcome.close, now);
      }
      this.#release(now);
    });
  }

  #command(message: Messages['command'], now: Instant): void {
    const {
      id,
      device,
      message: name,
      fields,
      timeout_ms: timeoutMs = COMMAND_TIMEOUT_MS,
      ack = false,
    } = message;
    const memory = this.#memory;
    const command: FeedCommand = { device, message: name, fields, timeoutMs };
    const asked = memory.commands.ask(id, command);
    if (asked === 'too_many') {
      const why = `${MAX_OPEN_COMMANDS} commands wait already, or their outcomes for an acknowledgement.`;
      this.#fail(id, 'too_many_commands', why, now, true);
      return;
    }
    this.#fresh = false;
    if (asked === 'other') {
      this.#fail(id, 'bad_field', `The id "${id}" was used for another command in this session.`, now);
    } else if (asked === 'new') {
      this.#port.command(command, this.#client, (outcome, at) => memory.settle(id, outcome, at, ack));
    } else if (asked !== 'pending') this.answerCommand(id, asked, now);
  }

  /** Takes over the session of another connection. */
  #resume(secret: string, id: string | undefined, now: Instant): void {
    if (!this.#fresh) {
      this.#fail(id, 'resume_too_late', 'A session is resumed before anything else is asked for.', now);
      return;
    }
    const memory =
      secret === this.#memory.secret ? this.#memory : this.#port.resume(this.#connection, secret);
    if (memory === undefined) {
      this.#fail(id, 'session_unknown', 'There is no such session any more; this one is new.', now);
      return;
    }
    this.#fresh = false;
    this.#attach(memory);
    const result = { client_id: memory.clientId, unacknowledged: memory.unacknowledged };
    this.#subscriber.send('response', { ...reply(id), result }, now);
    memory.resumed();
    memory.remind(now);
  }

  #kick({ id, client_id: clientId, user, address = '' }: Messages['kick']): void {
    const target =
      clientId !== undefined ? { client_id: clientId } : user !== undefined ? { user } : { address };
    const kicked = clientId ?? user ?? address;
    this.#port.kick(this.#connection, target, ({ count, unreached }, at) => {
      const silent =
        unreached.length === 0 ? '' : ` These instances did not answer: ${unreached.join(', ')}.`;
      if (count === 0) {
        const what =
          clientId !== undefined ? 'goes by the id' : user !== undefined ? 'has the token' : 'is at';
        this.#fail(id, 'client_unknown', `No client ${what} "${kicked}".${silent}`, at);
        return;
      }
      const counted = clientId === undefined ? { count } : {};
      const missing = unreached.length === 0 ? {} : { unreached };
      this.#subscriber.answer('response', { ...reply(id), result: { kicked, ...counted, ...missing } }, at);
    });
  }

  #addEntry({ id, section, lines, dry_run: dry = false, base }: Messages['add_entry'], now: Instant): void {
    if (dry === (base !== undefined)) {
      this.#fail(id, 'bad_field', 'Either "dry_run" is true, or "base" says what is to be changed.', now);
      return;
    }
    const addition = { section, lines, ...(base === undefined ? {} : { base }) };
    this.#port.addEntry(this.#connection, addition, (outcome, at) => {
      if (outcome.ok) this.#subscriber.answer('response', { ...reply(id), result: outcome.result }, at);
      else {
        const { code, message, retry } = outcome;
        this.#subscriber.answer('error', { ...reply(id), code, message, retry }, at);
      }
    });
  }

  #attach(memory: SessionMemory): void {
    if (this.#memory.listener === this) this.#memory.listener = undefined;
    this.#memory = memory;
    memory.listener = this;
    this.#subscriber.resume(memory);
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

  #failed(replyTo: string | undefined, problem: SubscriptionProblem | undefined, now: Instant): void {
    if (problem !== undefined) this.#fail(replyTo, problem.code, problem.message, now);
  }

  #countError(now: Instant): void {
    this.#faults ??= new Faults();
    if (!this.#faults.errors.add(now.monoMs)) this.#connection.close('too_many_errors', now);
  }

  /** A message above the rate is no error: it is counted apart, and a client that slows down may go on. */
  #refuse(replyTo: string | undefined, now: Instant): void {
    const rate = this.#terms.limits.messages_per_second;
    const message = `More than ${rate} messages a second; this one was not carried out.`;
    this.#subscriber.answer('error', { ...reply(replyTo), code: 'rate_limited', message, retry: true }, now);
    this.#faults ??= new Faults();
    if (!this.#faults.refusals.add(now.monoMs)) this.#connection.close('rate_limited', now);
  }
}

function reply(replyTo: string | undefined): { readonly reply_to?: string } {
  return replyTo === undefined ? {} : { reply_to: replyTo };
}
