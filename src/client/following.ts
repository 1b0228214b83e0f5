import type { JsonObject } from '../feed/wire/json.ts';
import type { ServerMessage } from '../feed/wire/server-messages.ts';
import { ClientError } from './client-error.ts';
import type { Outcome } from './requests.ts';
import type { EventMessage, SessionEffect } from './session-events.ts';
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
}

/** Something that the bridge had no room for is asked again after this. */
const AGAIN_MS = 1_000;
/** Acknowledgements of so long go in one message. */
const ACK_EVERY_MS = 20;
/** Topics in one message at most. */
const MAX_TOPICS = 256;

/** What is followed: the patterns that are wanted, the view of what they cover, and what is to be said for both. */
export class Following {
  readonly view = new FeedView();
  readonly #port: FollowingPort;
  readonly #subscriptions = new Subscriptions();
  readonly #said = new Map<string, Said>();
  /** The bridge listens to what is said here. */
  #talking = false;
  #acks: string[] = [];
  #ackAtMs: number | undefined;
  #againAtMs: number | undefined;
  #resyncAgain: readonly string[] = [];

  constructor(port: FollowingPort) {
    this.#port = port;
  }

  /** Everything that is wanted was synced on this connection. */
  get synced(): boolean {
    return this.#subscriptions.synced;
  }

  get nextDeadline(): number {
    return Math.min(this.#ackAtMs ?? Infinity, this.#againAtMs ?? Infinity);
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
    this.#resyncAgain = [];
    this.#ackAtMs = this.#againAtMs = undefined;
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
    const { resync, ...result } = this.view.apply(message);
    this.#port.effect({ type: 'tell', message: this.#counted(message), ...result });
    if (resync.length > 0) this.#say('resync', resync);
    if (message.type !== 'synced') return;
    const { reply_to: replyTo, topics } = message.payload;
    if (replyTo !== undefined) this.#said.delete(replyTo);
    this.#tellSynced(topics);
  }

  /** Whether this was the answer to something that was said here. */
  answered(replyTo: string, outcome: Outcome, nowMs: number): boolean {
    const said = this.#said.get(replyTo);
    if (said === undefined) return false;
    this.#said.delete(replyTo);
    if (said.type === 'unsubscribe') this.#dropUnwanted();
    else if (outcome instanceof ClientError) this.#refused(replyTo, said, outcome, nowMs);
    return true;
  }

  /** The event with this id was dealt with. */
  acknowledge(id: string, nowMs: number): void {
    if (!this.#talking) return;
    this.#acks.push(id);
    this.#ackAtMs ??= nowMs + ACK_EVERY_MS;
  }

  /** It was not: when it is sent again it is news. */
  notTaken(message: EventMessage): void {
    this.view.notTaken(message);
  }

  deadline(nowMs: number): void {
    if (this.#ackAtMs !== undefined && nowMs >= this.#ackAtMs) {
      this.#port.send('ack', { ids: this.#acks });
      this.#acks = [];
      this.#ackAtMs = undefined;
    }
    if (this.#againAtMs !== undefined && nowMs >= this.#againAtMs) {
      this.#againAtMs = undefined;
      this.#say('resync', this.#resyncAgain);
      this.#resyncAgain = [];
    }
  }

  /** Tells the bridge what is wanted, where that has changed. */
  reconcile(): void {
    if (!this.#talking || this.#againAtMs !== undefined) return;
    const isCovered = (topic: string): boolean => this.view.since([topic]) !== undefined;
    const { subscribe, unsubscribe } = this.#subscriptions.reconcile(isCovered);
    for (const { topics, maxHz, ack } of subscribe) {
      const since = this.view.since(topics);
      this.#say('subscribe', topics, {
        // Pings that a page can see; and silence then means the same everywhere.
        json_ping: true,
        since,
        max_hz: maxHz,
        ack,
      });
    }
    if (unsubscribe.length > 0) this.#say('unsubscribe', unsubscribe);
  }

  /** The bridge knows what it can't tell, not what was known here before. */
  #counted(message: ServerMessage): ServerMessage {
    if (message.type !== 'gap') return message;
    return { ...message, payload: { ...message.payload, from_seq: this.view.firstMissing(message.payload) } };
  }

  #say(type: Said['type'], topics: readonly string[], more: JsonObject = {}): void {
    for (let at = 0; at < topics.length; at += MAX_TOPICS) {
      const part = topics.slice(at, at + MAX_TOPICS);
      const id = this.#port.send(type, { topics: part, ...more });
      this.#said.set(id, { type, topics: part });
      if (type === 'subscribe') this.view.subscribing(id);
    }
  }

  #refused(id: string, { type, topics }: Said, error: ClientError, nowMs: number): void {
    if (error.retry) this.#againAtMs ??= nowMs + AGAIN_MS;
    if (type === 'resync') {
      if (error.retry) this.#resyncAgain = [...this.#resyncAgain, ...topics];
      else this.view.notResynced(topics);
      return;
    }
    this.view.refused(id);
    if (error.retry) this.#subscriptions.ignored(topics);
    else {
      for (const handle of this.#subscriptions.refused(topics))
        this.#port.effect({ type: 'tellHandle', handle, error });
    }
  }

  #tellSynced(topics: readonly string[]): void {
    for (const handle of this.#subscriptions.nowSynced(topics))
      this.#port.effect({ type: 'tellHandle', handle });
  }

  #dropUnwanted(): void {
    const changes = this.view.keepOnly(this.#subscriptions.patterns());
    if (changes.length > 0) this.#port.effect({ type: 'tell', changes });
  }
}
