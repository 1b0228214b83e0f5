import type { ServerMessage, Version } from '../../src/contract/feed/server-messages.ts';
import type { JsonObject } from '../../src/contract/wire/json.ts';
import { applyPatch } from '../../src/contract/wire/merge-patch.ts';
import { matchesTopic } from '../../src/contract/wire/topic.ts';

interface Known {
  readonly rev: number;
  readonly seq: number;
  /** Absent: removed. */
  readonly state?: JsonObject;
}

/** What a subscriber knows by the client's rule, and every breach of the rules that it saw. */
export class FeedView {
  readonly topics = new Map<string, Known>();
  readonly synced = new Set<string>();
  readonly breaches: string[] = [];
  readonly events = new Map<string, number[]>();
  readonly gaps: Array<{ topic: string; from: number; to: number }> = [];
  /** By the `id` of what was asked. */
  readonly replies = new Map<string, ServerMessage>();
  readonly types: string[] = [];
  position = 0;
  readonly #asked = new Map<string, { topics: readonly string[]; received: Set<string> }>();

  /** To be called when a `subscribe` is sent. */
  subscribing(id: string, topics: readonly string[]): void {
    this.#asked.set(id, { topics, received: new Set() });
  }

  /** The present documents, as the store would list them. */
  documents(): Record<string, JsonObject> {
    const all: Record<string, JsonObject> = {};
    for (const [topic, { state }] of this.topics) if (state !== undefined) all[topic] = state;
    return all;
  }

  receive(message: ServerMessage): void {
    this.types.push(message.type);
    const { payload } = message;
    if ('reply_to' in payload && payload.reply_to !== undefined) this.replies.set(payload.reply_to, message);
    switch (message.type) {
      case 'snapshot':
        for (const item of message.payload.items) this.#take(item, { state: item.state });
        for (const item of message.payload.removed) this.#take(item, {});
        return;
      case 'synced':
        this.#sync(message.payload.reply_to ?? '', message.payload.topics);
        this.#goTo(Object.values(message.payload.position)[0] ?? 0);
        return;
      case 'position':
        this.#goTo(Object.values(message.payload.position)[0] ?? 0);
        return;
      case 'update':
        this.#update(message.payload);
        return;
      case 'event':
      case 'broadcast': {
        const { topic, seq } = message.payload;
        const seen = this.events.get(topic) ?? [];
        if ((seen.at(-1) ?? 0) >= seq) this.breaches.push(`event ${topic} ${seq} came twice or late`);
        this.events.set(topic, [...seen, seq]);
        return;
      }
      case 'gap': {
        const { topic, from_seq: from, to_seq: to } = message.payload;
        this.gaps.push({ topic, from, to });
        return;
      }
      case 'response': {
        // The answer to an `unsubscribe`: from here on nothing of these patterns comes.
        const { unsubscribed } = message.payload.result;
        if (Array.isArray(unsubscribed)) for (const each of unsubscribed) this.synced.delete(String(each));
        return;
      }
      case 'welcome':
      case 'broadcast_ack':
      case 'echo':
      case 'clients_list':
      case 'ping':
      case 'pong':
      case 'error':
      case 'closing':
    }
  }

  #update(payload: Extract<ServerMessage, { type: 'update' }>['payload']): void {
    const own = this.topics.get(payload.topic);
    if (own !== undefined && payload.seq <= own.seq) return;
    if ('removed' in payload) this.#take(payload, {});
    else if ('full' in payload) this.#take(payload, { state: payload.state });
    else if (own?.state !== undefined && own.seq === payload.prev) {
      this.#take(payload, { state: applyPatch(own.state, payload.patch) });
    } else this.breaches.push(`${payload.topic} ${payload.seq} does not follow ${own?.seq}`);
  }

  #take(version: Version, content: { readonly state?: JsonObject }): void {
    const { topic, rev, seq } = version;
    for (const { received } of this.#asked.values()) received.add(topic);
    const own = this.topics.get(topic);
    if (own === undefined || seq > own.seq) this.topics.set(topic, { rev, seq, ...content });
  }

  #sync(id: string, topics: readonly string[]): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) {
      this.breaches.push(`synced ${id} was not asked for`);
      return;
    }
    this.#asked.delete(id);
    for (const pattern of topics) this.synced.add(pattern);
    for (const topic of [...this.topics.keys()]) {
      if (!asked.received.has(topic) && topics.some((each) => matchesTopic(each, topic))) {
        this.topics.delete(topic);
      }
    }
  }

  #goTo(rev: number): void {
    if (rev < this.position) this.breaches.push(`position went back from ${this.position} to ${rev}`);
    this.position = rev;
  }
}
