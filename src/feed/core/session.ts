import type { CommandOutcome, FeedClient, FeedCommand } from '../../contract/command.ts';
import type { ClientMessage } from '../../contract/feed/client-messages.ts';
import type { FeedErrorCode } from '../../contract/feed/feed-error.ts';
import { parseClientMessage } from '../../contract/feed/parse-client-message.ts';
import { type ClientEntry, PROTOCOL_VERSION } from '../../contract/feed/server-messages.ts';
import type { Instant } from '../../instant.ts';
import { MinuteCount } from '../../system/token-bucket.ts';
import { MAX_OPEN_COMMANDS } from './command-memory.ts';
import type { SessionMemory } from './session-memory.ts';
import type { SessionLine, SessionPort, SessionSurroundings, SessionTerms } from './session-surroundings.ts';
import type { Subscriber } from './subscriber.ts';
import {
  resync,
  type SubscriptionProblem,
  subscribe,
  tooManyPatterns,
  unsubscribe,
} from './subscriptions.ts';

const ERRORS_PER_MINUTE = 20;
/** Messages above the rate that are answered with an error before the connection is closed. */
const REFUSALS_PER_MINUTE = 200;
/** What may come in behind a token that is still being looked at: messages, and characters of them. */
const MAX_HELD = 64;
const MAX_HELD_LENGTH = 2 ** 20;
const DEFAULT_COMMAND_TIMEOUT_MS = 5_000;

/** What a client did wrong within the last minute. */
class Faults {
  readonly errors = new MinuteCount(ERRORS_PER_MINUTE);
  /** Messages above the rate. */
  readonly refusals = new MinuteCount(REFUSALS_PER_MINUTE);
}

/** One client's conversation: its messages in, replies and subscriptions out; knows no transport. */
export class FeedSession<Line extends SessionLine> {
  readonly #shared: SessionSurroundings<Line>;
  readonly #terms: SessionTerms;
  readonly #line: Line;
  #memory: SessionMemory;
  /** Nothing was asked for yet that belongs to a session. */
  #fresh = true;
  /** Of the rate at which it may send messages. */
  #freeAtMs = -Infinity;
  #faults: Faults | undefined;
  /** What came in behind a token that is still being looked at. */
  #held: { readonly texts: string[]; length: number } | undefined;
  #jsonPing = false;
  #answersPings = false;
  /** Since the sessions' common start. */
  #lastActivityMs: number;
  readonly #connectedAtMs: number;

  constructor(shared: SessionSurroundings<Line>, line: Line, memory: SessionMemory, now: Instant) {
    this.#shared = shared;
    this.#terms = shared.terms;
    this.#line = line;
    this.#memory = memory;
    this.#attach(memory);
    this.#connectedAtMs = this.#sinceStartMs(now);
    this.#lastActivityMs = this.#connectedAtMs;
  }

  get entry(): ClientEntry {
    const { sent, received } = this.#line.traffic;
    const { startedAtMs } = this.#shared;
    return {
      ...this.#client,
      connected_at: startedAtMs + this.#connectedAtMs,
      last_activity: startedAtMs + this.#lastActivityMs,
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

  #sinceStartMs(now: Instant): number {
    return Math.round(now.wallMs) - this.#shared.startedAtMs;
  }

  get #subscriber(): Subscriber {
    return this.#line.subscriber;
  }

  get #port(): SessionPort<Line> {
    return this.#shared.port;
  }

  get #client(): FeedClient {
    return { id: this.#memory.clientId, address: this.#line.address };
  }

  welcome(now: Instant): void {
    const { audience, pingIntervalMs, pingTimeoutMs } = this.#shared;
    const status = this.#port.access.status(this.#line);
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
      this.#line.close('rate_limited', now);
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
    // Counting costs nothing; holding each of very many patterns against many rights does.
    const tooMany = message.type === 'subscribe' && message.topics.length > most;
    if (tooMany && access.status(this.#line) !== 'required') return tooManyPatterns(most);
    return access.refused(this.#line, message);
  }

  /** A protocol ping or pong is a sign of life too. */
  heard(now: Instant): void {
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

  /** Outcomes that were not acknowledged in time are told again, as far as the subscriber takes them. */
  remind(now: Instant): void {
    if (!this.#subscriber.full) this.#memory.remind(now);
  }

  /** It is sent JSON pings without asking: its transport has none of its own. */
  startJsonPings(): void {
    this.#jsonPing = true;
  }

  /** It has answered a JSON ping: who did it once is taken to do it always. */
  get answersPings(): boolean {
    return this.#answersPings;
  }

  /** Sends a JSON ping to who asked for them. */
  ping(now: Instant): void {
    if (this.#jsonPing) this.#subscriber.send('ping', { server_time: Math.round(now.wallMs) }, now);
  }

  #handle(message: ClientMessage, now: Instant): void {
    const { id } = message;
    const { audience } = this.#shared;
    switch (message.type) {
      case 'auth':
        this.#authenticate(message.token, id);
        return;
      case 'subscribe':
        this.#subscribe(message, now);
        return;
      case 'unsubscribe':
        this.#failed(id, unsubscribe(audience, this.#subscriber, message.topics, reply(id), now), now);
        return;
      case 'resync':
        this.#failed(id, resync(this.#subscriber, message.topics, reply(id), now), now);
        return;
      case 'ping': {
        const timestamp = message.timestamp === undefined ? {} : { timestamp: message.timestamp };
        this.#subscriber.answer('pong', { ...reply(id), ...timestamp }, now);
        return;
      }
      case 'pong':
        this.#answersPings = this.#jsonPing;
        return;
      case 'echo':
        this.#subscriber.answer('echo', { ...reply(id), data: message.data }, now);
        return;
      case 'get_clients': {
        const clients = this.#port.clients();
        this.#subscriber.answer('clients_list', { ...reply(id), clients, count: clients.length }, now);
        return;
      }
      case 'broadcast': {
        const recipients = this.#port.clientCount;
        audience.store.publishBroadcast(this.#memory.clientId, message.data);
        this.#subscriber.answer('broadcast_ack', { ...reply(id), recipients }, now);
        return;
      }
      case 'command':
        this.#command(message, now);
        return;
      case 'ack':
        for (const each of message.ids) this.#memory.acknowledge(each);
        audience.wake(this.#subscriber);
        return;
      case 'resume':
        this.#resume(message.session, id, now);
        return;
      case 'kick':
        this.#kick(message.client_id, id, now);
        return;
    }
  }

  #subscribe(message: Extract<ClientMessage, { readonly type: 'subscribe' }>, now: Instant): void {
    const { audience } = this.#shared;
    const most = this.#terms.limits.max_patterns;
    const problem = subscribe(audience, this.#subscriber, message, most, now);
    this.#failed(message.id, problem, now);
    if (problem !== undefined) return;
    this.#fresh = false;
    if (message.json_ping !== undefined) this.#jsonPing = message.json_ping;
  }

  /** What comes in until it is known what became of the token waits, and is then judged by it. */
  #authenticate(token: string, id: string | undefined): void {
    this.#held = { texts: [], length: 0 };
    this.#port.access.authenticate(this.#line, token, (outcome, now) => {
      if (outcome.ok) this.#subscriber.answer('response', { ...reply(id), result: outcome.result }, now);
      else {
        this.#fail(id, outcome.code, outcome.message, now, outcome.retry);
        if (outcome.close !== undefined) this.#line.close(outcome.close, now);
      }
      const held = this.#held?.texts ?? [];
      this.#held = undefined;
      for (const text of held) this.receive(text, now);
    });
  }

  #command(message: Extract<ClientMessage, { readonly type: 'command' }>, now: Instant): void {
    const {
      id,
      device,
      message: name,
      fields,
      timeout_ms: timeoutMs = DEFAULT_COMMAND_TIMEOUT_MS,
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

  /** Goes on with a session that another connection had. */
  #resume(secret: string, id: string | undefined, now: Instant): void {
    if (!this.#fresh) {
      this.#fail(id, 'resume_too_late', 'A session is resumed before anything else is asked for.', now);
      return;
    }
    const memory = secret === this.#memory.secret ? this.#memory : this.#port.resume(this.#line, secret);
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

  #kick(clientId: string, id: string | undefined, now: Instant): void {
    if (!this.#port.kick(clientId)) {
      this.#fail(id, 'client_unknown', `No client goes by the id "${clientId}".`, now);
    } else this.#subscriber.answer('response', { ...reply(id), result: { kicked: clientId } }, now);
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
    if (!this.#faults.errors.add(now.monoMs)) this.#line.close('too_many_errors', now);
  }

  /** Too fast is not wrong: it is counted apart from errors, and a client that slows down may go on. */
  #refuse(replyTo: string | undefined, now: Instant): void {
    const rate = this.#terms.limits.messages_per_second;
    const message = `More than ${rate} messages a second; this one was not carried out.`;
    this.#subscriber.answer('error', { ...reply(replyTo), code: 'rate_limited', message, retry: true }, now);
    this.#faults ??= new Faults();
    if (!this.#faults.refusals.add(now.monoMs)) this.#line.close('rate_limited', now);
  }
}

function reply(replyTo: string | undefined): { readonly reply_to?: string } {
  return replyTo === undefined ? {} : { reply_to: replyTo };
}
