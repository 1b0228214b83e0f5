import type { JsonObject, ServerMessage } from '../contract/wire/index.ts';
import { ClientError } from './client-error.ts';
import type { Outcome } from './requests.ts';
import type { SessionEffect } from './session-events.ts';
import { FeedView } from './view.ts';

/** A request about topics that is not answered yet. */
interface PendingRequest {
  readonly type: 'subscribe' | 'resync' | 'unsubscribe';
  readonly topics: readonly string[];
}

/** How `Subscriptions` sends and reports. */
export interface SubscriptionsPort {
  /** Returns the id under which it goes. */
  send(type: string, fields: JsonObject): string;
  effect(effect: SessionEffect): void;
  /** This connection is of no use. */
  giveUp(error: ClientError): void;
}

/** Acknowledgements of so long go in one message. */
const ACK_EVERY_MS = 20;

/** The subscriptions of a client: the wanted patterns, the view of their topics, and the requests that both need. */
export class Subscriptions {
  readonly view = new FeedView();
  readonly #port: SubscriptionsPort;
  readonly #wanted = new WantedTopics();
  readonly #pending = new Map<string, PendingRequest>();
  /** The connection is authorized, so requests can be sent. */
  #active = false;
  #acks: string[] = [];
  #ackAtMs = Infinity;

  constructor(port: SubscriptionsPort) {
    this.#port = port;
  }

  /** Everything that is wanted was synced on this connection. */
  get synced(): boolean {
    return this.#wanted.synced;
  }

  get nextDeadline(): number {
    return this.#ackAtMs;
  }

  /** A connection is there, and the bridge has let it in. */
  begin(): void {
    this.view.connected();
    this.#active = true;
  }

  end(): void {
    this.#active = false;
    this.#wanted.disconnected();
    this.#pending.clear();
    this.#acks = [];
    this.#ackAtMs = Infinity;
  }

  add(handle: number, wanted: Wanted): void {
    this.#wanted.add(handle, wanted);
    this.#reportSynced([]);
  }

  remove(handle: number): void {
    this.#wanted.remove(handle);
    if (!this.#active) this.#dropUnwanted();
  }

  /** Applies a message to the view, and reports the changes. */
  receive(message: ServerMessage): void {
    // The bridge knows what it can't send, not what was known here before.
    const known =
      message.type === 'gap'
        ? { ...message, payload: { ...message.payload, from_seq: this.view.firstMissing(message.payload) } }
        : message;
    const { resync, changes, repeated } = this.view.apply(message);
    this.#port.effect((handler) => handler.applied(known, changes, repeated));
    this.#request('resync', resync);
    if (message.type !== 'synced') return;
    const { reply_to: replyTo, topics } = message.payload;
    if (replyTo !== undefined) this.#pending.delete(replyTo);
    this.#reportSynced(topics);
  }

  /** Whether this was the answer to a request of these subscriptions. */
  answered(replyTo: string, outcome: Outcome): boolean {
    const request = this.#pending.get(replyTo);
    if (request === undefined) return false;
    this.#pending.delete(replyTo);
    if (request.type === 'unsubscribe') this.#dropUnwanted();
    else if (outcome instanceof ClientError) this.#refused(replyTo, request, outcome);
    return true;
  }

  /** The event with this id was dealt with. */
  acknowledge(id: string, nowMs: number): void {
    if (!this.#active) return;
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
   * Requests from the bridge what is wanted, where that has changed. Not while it is to give something up: what still comes of
   * that would be taken for a part of what is asked for next.
   */
  reconcile(): void {
    if (!this.#active || [...this.#pending.values()].some(({ type }) => type === 'unsubscribe')) return;
    const orders = this.#wanted.reconcile((topic) => this.view.since([topic]) !== undefined);
    for (const { topics, terms } of orders?.subscribe ?? []) {
      const since = this.view.since(topics);
      // Pings that a page can see; and silence then means the same everywhere.
      this.#request('subscribe', topics, { json_ping: true, since, ...terms });
    }
    this.#request('unsubscribe', orders?.unsubscribe);
  }

  #request(type: PendingRequest['type'], topics: readonly string[] = [], more: JsonObject = {}): void {
    if (topics.length === 0) return;
    const id = this.#port.send(type, { topics, ...more });
    this.#pending.set(id, { type, topics });
    if (type === 'subscribe') this.view.subscribing(id);
  }

  #refused(id: string, { type, topics }: PendingRequest, error: ClientError): void {
    this.view.refused(id);
    // Never for being too fast, because the outbox heeds the rate; whatever it is, a later connection asks again.
    if (error.retry) this.#port.giveUp(error);
    else if (type === 'resync') this.view.notResynced(topics);
    else
      this.#wanted.refused(topics, (handle) => this.#port.effect((handler) => handler.handle(handle, error)));
  }

  #reportSynced(topics: readonly string[]): void {
    this.#wanted.nowSynced(topics, (handle) => this.#port.effect((handler) => handler.handle(handle)));
  }

  #dropUnwanted(): void {
    const changes = this.view.keepOnly(this.#wanted.patterns());
    if (changes.length > 0) this.#port.effect((handler) => handler.applied(undefined, changes));
  }
}

/** What one handle wants. */
export interface Wanted {
  readonly topics: readonly string[];
  readonly maxHz?: number | undefined;
  readonly ack?: boolean | undefined;
  readonly raw?: boolean | undefined;
}

/** How often, whether to be acknowledged, and what comes along: as a `subscribe` says it. */
type Terms = Readonly<{ max_hz: number | undefined; ack: true | undefined; raw: true | undefined }>;

/** One `subscribe` to be sent. */
export interface SubscribeOrder {
  readonly terms: Terms;
  readonly topics: readonly string[];
}

/** What is to be sent. */
export interface SubscriptionChanges {
  readonly subscribe: Iterable<SubscribeOrder>;
  readonly unsubscribe: readonly string[];
}

interface OnWire {
  /** The terms that were asked for, as a text that is equal where they are. */
  readonly text: string;
  synced: boolean;
}

/**
 * Which patterns are wanted by which handle, and which of them this connection was asked for. The bridge knows each pattern
 * once, under its last terms; so handles that share one get the most that any of them asked for.
 */
class WantedTopics {
  readonly #wanted = new Map<number, Wanted>();
  readonly #wire = new Map<string, OnWire>();
  /** What is wanted is not what the bridge was asked for. */
  #changed = false;
  /** Handles whose topics are not all synced yet. */
  readonly #waiting = new Map<number, Wanted>();

  add(handle: number, wanted: Wanted): void {
    this.#wanted.set(handle, wanted);
    this.#changed = true;
    this.#waiting.set(handle, wanted);
  }

  remove(handle: number): void {
    this.#wanted.delete(handle);
    this.#changed = true;
    this.#waiting.delete(handle);
  }

  /** The connection is gone: the next one knows of nothing. */
  disconnected(): void {
    this.#wire.clear();
    this.#changed = true;
  }

  /** Every pattern that is wanted is synced on this connection. */
  get synced(): boolean {
    return [...this.#wanted.values()].every((wanted) => this.#isSynced(wanted));
  }

  /** The patterns that are wanted, each once. */
  patterns(): ReadonlySet<string> {
    return new Set([...this.#wanted.values()].flatMap(({ topics }) => topics));
  }

  /** What must be sent so that the bridge knows what is wanted, if it does not; it counts as sent. */
  reconcile(isCovered: (topic: string) => boolean): SubscriptionChanges | undefined {
    if (!this.#changed) return undefined;
    this.#changed = false;
    const seen = new Set<string>();
    const groups = new Map<string, SubscribeOrder & { readonly topics: string[] }>();
    for (const [handle, wanted] of this.#wanted) {
      for (const topic of wanted.topics) {
        if (seen.has(topic)) continue;
        seen.add(topic);
        const terms = this.#terms(topic);
        const text = JSON.stringify(terms);
        if (this.#wire.get(topic)?.text === text) continue;
        this.#wire.set(topic, { text, synced: false });
        // By handle, so that the refusal of one does not hit another.
        const key = `${handle} ${isCovered(topic)} ${text}`;
        const group = groups.get(key) ?? { terms, topics: [] };
        group.topics.push(topic);
        groups.set(key, group);
      }
    }
    const unsubscribe = [...this.#wire.keys()].filter((topic) => !seen.has(topic));
    for (const topic of unsubscribe) this.#wire.delete(topic);
    return { subscribe: groups.values(), unsubscribe };
  }

  /** These patterns are synced; reports the handles that have all of theirs now, for the first time. */
  nowSynced(topics: readonly string[], report: (handle: number) => void): void {
    for (const topic of topics) {
      const onWire = this.#wire.get(topic);
      if (onWire !== undefined) onWire.synced = true;
    }
    for (const [handle, wanted] of this.#waiting) {
      if (!this.#isSynced(wanted)) continue;
      this.#waiting.delete(handle);
      report(handle);
    }
  }

  /** The bridge does not have it so; reports the handles that want any of these, which are forgotten. */
  refused(topics: readonly string[], report: (handle: number) => void): void {
    for (const topic of topics) this.#wire.delete(topic);
    for (const [handle, wanted] of this.#wanted) {
      if (!wanted.topics.some((topic) => topics.includes(topic))) continue;
      this.remove(handle);
      report(handle);
    }
  }

  #isSynced({ topics }: Wanted): boolean {
    return topics.every((topic) => this.#wire.get(topic)?.synced);
  }

  /** The most that any of them asked for. */
  #terms(pattern: string): Terms {
    const all = [...this.#wanted.values()].filter(({ topics }) => topics.includes(pattern));
    const maxHz = Math.max(...all.map((each) => each.maxHz ?? Infinity));
    return {
      max_hz: maxHz === Infinity ? undefined : maxHz,
      ack: all.some(({ ack }) => ack) || undefined,
      raw: all.some(({ raw }) => raw) || undefined,
    };
  }
}
