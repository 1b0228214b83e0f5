/// <reference lib="esnext.disposable" preserve="true" />
import type { Json, JsonObject, ServerMessage } from '../contract/wire/index.ts';
import { ClientError, ownError } from './client-error.ts';
import { ClientSession } from './client-session.ts';
import type { CommandFields, CommandName, CommandReply, CommandResult, DeviceTypes } from './device-types.ts';
import { deviceOf, type FeedItem } from './items.ts';
import { Listeners } from './listeners.ts';
import { LiveView } from './live-view.ts';
import { type ClientPorts, portsOf } from './ports.ts';
import type { Outcome } from './requests.ts';
import type { ClientStatus, EventMessage } from './session-events.ts';
import { type Decode, SessionRunner, type TokenSource } from './session-runner.ts';
import { type SubscribeOptions, Subscription } from './subscription.ts';
import type { ViewChange } from './view.ts';

export interface ConnectOptions extends Partial<ClientPorts> {
  /** Patterns to follow from the start; the same as a `subscribe` right after. */
  readonly topics?: readonly string[];
  readonly token?: TokenSource;
  /** Back-off between attempts; 1 s doubling up to 30 s where this is left out, each with full jitter. */
  readonly backOff?: { readonly firstMs: number; readonly mostMs: number };
  /** Gets every message of the bridge first, and may return another in its place. */
  readonly decode?: Decode;
}

/** What a call needs of an `AbortSignal`, which not every project has the type of. */
export interface SignalLike {
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface CallOptions {
  /** Gives up waiting. It does not take back what was sent. */
  readonly signal?: SignalLike;
}

export interface CommandOptions extends CallOptions {
  /** For the device's answer; 5,000 where this is left out. */
  readonly timeoutMs?: number;
}

/** The events of a client, by name. */
export interface ClientEvents {
  readonly status: [status: ClientStatus];
  /** Events, broadcasts and gaps of all subscriptions. */
  readonly item: [item: FeedItem];
  /** What the bridge refused without a promise that waits for it, or what could not be read. */
  readonly error: [error: ClientError];
  /** Every message as it came, with what it changed in the view; of a gap, what is really missing here. */
  readonly message: [message: ServerMessage, changes: readonly ViewChange[], repeated: boolean];
}

const BACK_OFF = { firstMs: 1_000, mostMs: 30_000 };
const TIMEOUT_MS = 5_000;

/**
 * Connects to a bridge, and stays connected until `close`, or until the bridge rejects this client.
 *
 * @throws ClientError `bad_address` or `no_websocket`
 */
export function connect<Types extends DeviceTypes = DeviceTypes>(
  url?: string,
  options: ConnectOptions = {},
): Client<Types> {
  const client = new Client<Types>(url, options);
  if (options.topics !== undefined) client.subscribe(options.topics);
  client.start();
  return client;
}

/** One client of a bridge, over as many connections as it takes. Made by `connect`. */
export class Client<Types extends DeviceTypes = DeviceTypes> implements Disposable {
  /** The present documents of all subscriptions. */
  readonly view: LiveView<Types>;
  readonly #session: ClientSession;
  readonly #runner: SessionRunner;
  readonly #listeners: { readonly [Name in keyof ClientEvents]: Listeners<ClientEvents[Name]> } = {
    status: new Listeners(),
    item: new Listeners(),
    error: new Listeners(),
    message: new Listeners(),
  };
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #calls = new Map<number, (outcome: Outcome) => void>();
  /** Ids of events that are being dealt with, and acknowledged after that. */
  readonly #inHand = new Set<string>();
  #last = 0;
  /** The last number given out before the message in hand. */
  #newest = 0;

  constructor(url: string | undefined, options: ConnectOptions) {
    const { backOff = BACK_OFF, token, decode } = options;
    const ports = portsOf(options);
    const hasToken = token !== undefined;
    this.#session = new ClientSession({ backOff, random: ports.random, hasToken }, ports.clock.now());
    this.view = new LiveView(this.#session.view);
    this.#runner = new SessionRunner({
      url: feedAddress(url),
      session: this.#session,
      ports,
      token,
      decode,
      callbacks: {
        status: (status) => this.#listeners.status.emit(status),
        error: (error) => this.#listeners.error.emit(error),
        applied: (message, changes, repeated = false) => {
          this.#newest = this.#last;
          this.view.emit(changes);
          if (message === undefined) return;
          this.#listeners.message.emit(message, changes, repeated);
          this.#reportItem(message, repeated);
        },
        settle: (request, outcome) => {
          this.#calls.get(request)?.(outcome);
          this.#calls.delete(request);
        },
        handle: (handle, error) => {
          const subscription = this.#subscriptions.get(handle);
          if (error !== undefined) {
            this.#subscriptions.delete(handle);
            this.#listeners.error.emit(error);
          }
          subscription?.settled(error);
        },
        ended: (error) => {
          for (const subscription of this.#subscriptions.values()) subscription.end(error);
          this.#subscriptions.clear();
          this.view.end(error);
        },
      },
    });
  }

  /** For `connect`. */
  start(): void {
    this.#runner.start();
  }

  get status(): ClientStatus {
    return this.#session.status;
  }

  /** As the bridge calls this client now; absent before its first message. */
  get clientId(): string | undefined {
    return this.#session.clientId;
  }

  /** Returns what takes the listener off again. */
  on<Name extends keyof ClientEvents>(
    name: Name,
    listener: (...args: ClientEvents[Name]) => unknown,
  ): () => void {
    return this.#listeners[name].add(listener);
  }

  /** Fulfilled as soon as the view is the present; rejected where the client is closed first. */
  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = ({ state, reason = '', detail }: ClientStatus): void => {
        if (state === 'connected') resolve();
        else if (state === 'closed') reject(new ClientError(reason, detail ?? 'The client is closed.'));
        else return;
        off();
      };
      const off = this.on('status', look);
      look(this.status);
    });
  }

  /** Follows topics; `+` stands for one level, `#` for the rest. What the bridge refuses rejects `ready`. */
  subscribe(topics: string | readonly string[], options: SubscribeOptions = {}): Subscription {
    const wanted = [...new Set([topics].flat())];
    const handle = this.#newNumber();
    const subscription = new Subscription(wanted, options, () => {
      this.#subscriptions.delete(handle);
      this.#runner.dispatch((session) => session.unsubscribe(handle));
    });
    this.#subscriptions.set(handle, subscription);
    this.#runner.dispatch((session) => session.subscribe(handle, { ...options, topics: wanted }));
    return subscription;
  }

  /**
   * Sends a message to a device, once. Where the connection is lost meanwhile, the result is fetched over the next one.
   *
   * @throws ClientError with the bridge's code; `not_connected` where nothing was sent, `command_outcome_unknown` where
   * it was and no result can be had. An aborted `signal` throws its reason.
   */
  async command<Name extends CommandName<Types>>(
    device: string,
    message: Name,
    fields?: CommandFields<Types, Name>,
    { timeoutMs = TIMEOUT_MS, signal }: CommandOptions = {},
  ): Promise<CommandResult<CommandReply<Types, Name>>> {
    // Their types come from the declaration of the messages, by which the bridge checks them.
    const body = { device, message, fields: (fields ?? {}) as JsonObject, timeout_ms: timeoutMs };
    const reply = await this.#call('command', body, timeoutMs, signal);
    const result = reply.type === 'response' ? reply.payload.result : {};
    return { fields: {}, ...result } as CommandResult<CommandReply<Types, Name>>;
  }

  /** Sends something to all clients of the bridge; resolves with their number. */
  async broadcast(data: Json, options?: CallOptions): Promise<number> {
    const { recipients } = (await this.request('broadcast', { data }, options)) as {
      readonly recipients: number;
    };
    return recipients;
  }

  /** Any other message that is answered, such as `get_clients`; resolves with the payload of the answer. */
  async request(
    type: string,
    fields: JsonObject = {},
    { timeoutMs = TIMEOUT_MS, signal }: CommandOptions = {},
  ): Promise<object> {
    return (await this.#call(type, fields, timeoutMs, signal)).payload;
  }

  /** Waits no longer for the next attempt, where one is waited for. */
  retryNow(): void {
    this.#runner.dispatch((session) => session.start());
  }

  /** For good. What is asked and not answered yet is rejected; every `for await` ends. */
  close(): void {
    this.#runner.dispatch((session) => session.close());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #call(
    type: string,
    fields: JsonObject,
    timeoutMs: number,
    signal: SignalLike | undefined,
  ): Promise<ServerMessage> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const request = this.#newNumber();
      const aborted = (): void => {
        this.#calls.delete(request);
        this.#runner.dispatch((session) => session.abandon(request));
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', aborted);
      this.#calls.set(request, (outcome) => {
        signal?.removeEventListener('abort', aborted);
        if (outcome instanceof ClientError) reject(outcome);
        else resolve(outcome);
      });
      this.#runner.dispatch((session) => session.ask(request, { type, fields, timeoutMs }));
    });
  }

  #reportItem(message: ServerMessage, repeated: boolean): void {
    if (message.type === 'gap') {
      const { topic, from_seq: fromSeq, to_seq: toSeq, reason } = message.payload;
      if (!repeated) this.#deliver({ kind: 'gap', topic, device: deviceOf(topic), fromSeq, toSeq, reason });
    } else if (message.type === 'event' || message.type === 'broadcast') {
      if (!repeated) this.#deal(message);
      // Dealt with before, but the bridge does not know it yet.
      else if (message.ack_required === true && !this.#inHand.has(message.id)) this.#acknowledge(message.id);
    }
  }

  #deal(message: EventMessage): void {
    const { topic, seq } = message.payload;
    const common = { topic, at: message.timestamp, seq };
    const pending = this.#deliver(
      message.type === 'event'
        ? { kind: 'event', ...common, device: deviceOf(topic), data: message.payload.data }
        : { kind: 'broadcast', ...common, from: message.payload.from, data: message.payload.data },
    );
    if (message.ack_required !== true) return;
    this.#inHand.add(message.id);
    void Promise.all(pending).then((taken) => {
      this.#inHand.delete(message.id);
      if (taken.every(Boolean)) this.#acknowledge(message.id);
      else this.#runner.dispatch((session) => session.notTaken(message));
    });
  }

  #deliver(item: FeedItem): ReadonlyArray<Promise<boolean>> {
    this.#listeners.item.emit(item);
    const pending: Array<Promise<boolean>> = [];
    // What a listener subscribes to in the meantime begins with the next item.
    for (const [handle, subscription] of this.#subscriptions)
      if (handle <= this.#newest && subscription.covers(item.topic)) pending.push(...subscription.take(item));
    return pending;
  }

  #acknowledge(id: string): void {
    this.#runner.dispatch((session) => session.acknowledge(id));
  }

  #newNumber(): number {
    this.#last += 1;
    return this.#last;
  }
}

/**
 * The address of a bridge's feed: `ws(s)://` and `http(s)://` are both understood, and `/ws` is filled in where the
 * path does not end in it. In a page, relative addresses count from the page, and none at all means its own bridge.
 *
 * @throws ClientError `bad_address`
 */
function feedAddress(text = './'): string {
  // Only pages have a location.
  const { location } = globalThis as { readonly location?: { readonly href: string } };
  const url = new URL(text, location?.href);
  url.protocol = url.protocol.replace('http', 'ws');
  if (!/^wss?:$/.test(url.protocol)) throw ownError('bad_address', `"${text}" is no bridge's address.`);
  return `${url.origin}${url.pathname.replace(/\/*(\/ws(\/[^/]+)?)?\/*$/, (_, path = '/ws') => path)}`;
}
