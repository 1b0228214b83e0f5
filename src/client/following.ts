import type { JsonObject } from '../contract/feed/json.ts';
import type { ServerMessage } from '../contract/feed/server-messages.ts';
import { ClientError } from './client-error.ts';
import type { Outcome } from './requests.ts';
import type { SessionEffect } from './session-events.ts';
import { Subscriptions, type Wanted } from './subscriptions.ts';
import { FeedView } from './view.ts';

/** What was said about topics and not answered yet. */
interface Said {
  readonly type: 'subscribe' | 'resync' | 'unsubscribe';
  readonly topics: readonly string[];
}

/** How a `Following` speaks and reports. */
export interface FollowingPort {
  /** Returns the id under which it goes. */
  send(type: string, fields: JsonObject): string;
  effect(effect: SessionEffect): void;
  /** This connection is of no use. */
  giveUp(error: ClientError): void;
}

/** Acknowledgements of so long go in one message. */
const ACK_EVERY_MS = 20;

/** What is followed: the patterns that are wanted, the view of what they cover, and what is to be said for both. */
export class Following {
  readonly view = new FeedView();
  readonly #port: FollowingPort;
  readonly #subscriptions = new Subscriptions();
  readonly #said = new Map<string, Said>();
  /** The bridge listens to what is said here. */
  #talking = false;
  #acks: string[] = [];
  #ackAtMs = Infinity;

  constructor(port: FollowingPort) {
    this.#port = port;
  }

  /** Everything that is wanted was synced on this connection. */
  get synced(): boolean {
    return this.#subscriptions.synced;
  }

  get nextDeadline(): number {
    return this.#ackAtMs;
  }

  /** A connection is there, and the bridge has let it in. */
  begin(): void {
    this.view.connected();
    this.#talking = true;
  }

  end(): void {
    this.#talking = false;
    this.#subscriptions.disconnected();
    this.#said.clear();
    this.#acks = [];
    this.#ackAtMs = Infinity;
  }

  add(handle: number, wanted: Wanted): void {
    this.#subscriptions.add(handle, wanted);
    this.#tellSynced([]);
  }

  remove(handle: number): void {
    this.#subscriptions.remove(handle);
    if (!this.#talking) this.#dropUnwanted();
  }

  /** Applies a message to the view, and tells of it. */
  receive(message: ServerMessage): void {
    // The bridge knows what it can't tell, not what was known here before.
    const told =
      message.type === 'gap'
        ? { ...message, payload: { ...message.payload, from_seq: this.view.firstMissing(message.payload) } }
        : message;
    const { resync, changes, repeated } = this.view.apply(message);
    this.#port.effect((orders) => orders.told(told, changes, repeated));
    this.#say('resync', resync);
    if (message.type !== 'synced') return;
    const { reply_to: replyTo, topics } = message.payload;
    if (replyTo !== undefined) this.#said.delete(replyTo);
    this.#tellSynced(topics);
  }

  /** Whether this was the answer to something that was said here. */
  answered(replyTo: string, outcome: Outcome): boolean {
    const said = this.#said.get(replyTo);
    if (said === undefined) return false;
    this.#said.delete(replyTo);
    if (said.type === 'unsubscribe') this.#dropUnwanted();
    else if (outcome instanceof ClientError) this.#refused(replyTo, said, outcome);
    return true;
  }

  /** The event with this id was dealt with. */
  acknowledge(id: string, nowMs: number): void {
    if (!this.#talking) return;
    this.#acks.push(id);
    this.#ackAtMs = Math.min(this.#ackAtMs, nowMs + ACK_EVERY_MS);
  }

  deadline(nowMs: number): void {
    if (nowMs < this.#ackAtMs) return;
    this.#port.send('ack', { ids: this.#acks });
    this.#acks = [];
    this.#ackAtMs = Infinity;
  }

  /**
   * Tells the bridge what is wanted, where that has changed. Not while it is to give something up: what still comes of
   * that would be taken for a part of what is asked for next.
   */
  reconcile(): void {
    if (!this.#talking || [...this.#said.values()].some(({ type }) => type === 'unsubscribe')) return;
    const orders = this.#subscriptions.reconcile((topic) => this.view.since([topic]) !== undefined);
    for (const { topics, terms } of orders?.subscribe ?? []) {
      const since = this.view.since(topics);
      // Pings that a page can see; and silence then means the same everywhere.
      this.#say('subscribe', topics, { json_ping: true, since, ...terms });
    }
    this.#say('unsubscribe', orders?.unsubscribe);
  }

  #say(type: Said['type'], topics: readonly string[] = [], more: JsonObject = {}): void {
    if (topics.length === 0) return;
    const id = this.#port.send(type, { topics, ...more });
    this.#said.set(id, { type, topics });
    if (type === 'subscribe') this.view.subscribing(id);
  }

  #refused(id: string, { type, topics }: Said, error: ClientError): void {
    this.view.refused(id);
    // Never for being too fast, because the outbox heeds the rate; whatever it is, a later connection asks again.
    if (error.retry) this.#port.giveUp(error);
    else if (type === 'resync') this.view.notResynced(topics);
    else
      this.#subscriptions.refused(topics, (handle) =>
        this.#port.effect((orders) => orders.handle(handle, error)),
      );
  }

  #tellSynced(topics: readonly string[]): void {
    this.#subscriptions.nowSynced(topics, (handle) => this.#port.effect((orders) => orders.handle(handle)));
  }

  #dropUnwanted(): void {
    const changes = this.view.keepOnly(this.#subscriptions.patterns());
    if (changes.length > 0) this.#port.effect((orders) => orders.told(undefined, changes));
  }
}
