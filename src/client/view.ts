import type { JsonObject } from '../feed/wire/json.ts';
import { applyPatch } from '../feed/wire/merge-patch.ts';
import type { Position } from '../feed/wire/position.ts';
import type { ServerMessage, SnapshotItem, UpdatePayload, Version } from '../feed/wire/server-messages.ts';
import { matchesTopic } from '../feed/wire/topic.ts';

/** One document changed; `update` says it as it came, a snapshot's item as a full one. */
export interface ViewChange {
  readonly topic: string;
  /** Absent: the topic was removed. */
  readonly document: JsonObject | undefined;
  /** Absent where the topic is gone because a full answer did not hold it. */
  readonly update?: UpdatePayload;
}

/** What a message means for one who follows the feed. */
export interface ViewResult {
  readonly changes: readonly ViewChange[];
  /** Topics to ask for with one `resync`; each is named once until its document has come. */
  readonly resync: readonly string[];
  /** An event or a gap that was told before: after a reconnect, some may be told twice. */
  readonly repeated?: true;
}

type Synced = Extract<ServerMessage, { type: 'synced' }>['payload'];
type GapRange = Extract<ServerMessage, { type: 'gap' }>['payload'];

interface Known {
  readonly epoch: string;
  readonly seq: number;
  readonly document: JsonObject | undefined;
}

const NOTHING: ViewResult = { changes: [], resync: [] };
const REPEATED: ViewResult = { ...NOTHING, repeated: true };
/** Ids of acknowledged events that are remembered; the server has far fewer out at once. */
const MAX_IDS = 1_000;
/** Topics that are gone, and topics of events, whose last `seq` is remembered. */
const MAX_REMEMBERED = 10_000;

/**
 * The subscriber's side of the feed: the present documents, kept by the client's rule. Within one epoch, a `seq` at or
 * below the known one is ignored, a full update applies, a patch applies to exactly the document before it. Of another
 * epoch only a full one applies. Whatever does not apply asks for the document again. A removed topic keeps its
 * `seq`, because it goes on if the topic returns.
 */
export class FeedView {
  readonly #known = new Map<string, Known>();
  /** Topics of `#known` that are gone, the oldest first. */
  readonly #gone = new Set<string>();
  /** What came since each open subscription was sent, by the id of the request. */
  readonly #received = new Map<string | undefined, Set<string>>();
  readonly #asked = new Set<string>();
  #position: Position = {};
  /** Patterns that were synced at the position, and those synced on this connection. */
  #covered: ReadonlySet<string> = new Set();
  readonly #syncedHere = new Set<string>();
  /** The last event of each topic. */
  readonly #lastEvents = new Map<string, { readonly epoch: string; readonly seq: number }>();
  readonly #ids = new Set<string>();

  /** How far the feed has been followed; only the server's own word counts. */
  get position(): Position {
    return this.#position;
  }

  /** The position from which these patterns can be followed on, for `since`; undefined where one of them is new. */
  since(patterns: readonly string[]): Position | undefined {
    return patterns.every((pattern) => this.#covered.has(pattern)) ? this.#position : undefined;
  }

  /** The first `seq` that is really missing of a gap: the server knows what it can't tell, not what we know. */
  firstMissing({ topic, epoch, from_seq: from }: GapRange): number {
    const last = this.#lastEvents.get(topic);
    return last !== undefined && last.epoch === epoch ? Math.max(from, last.seq + 1) : from;
  }

  document(topic: string): JsonObject | undefined {
    return this.#known.get(topic)?.document;
  }

  /** The topics that have a document. */
  *topics(): Generator<string> {
    for (const [topic, { document }] of this.#known) if (document !== undefined) yield topic;
  }

  /** To be called for every new connection, before its first message: nothing asked for on the old one will come. */
  connected(): void {
    this.#received.clear();
    this.#asked.clear();
    this.#syncedHere.clear();
  }

  /** To be called when a `subscribe` with this id is sent. */
  subscribing(id: string | undefined): void {
    this.#received.set(id, new Set());
  }

  /** The bridge refused the `subscribe` with this id. */
  refused(id: string): void {
    this.#received.delete(id);
  }

  /** The bridge did not take a `resync` of these; what does not apply asks for them again. */
  notResynced(topics: readonly string[]): void {
    for (const topic of topics) this.#asked.delete(topic);
  }

  /** An acknowledged event was not dealt with after all: it counts as new when it is sent again. */
  notTaken(event: Extract<ServerMessage, { type: 'event' | 'broadcast' }>): void {
    this.#ids.delete(eventKey(event));
  }

  /** Only these patterns are followed any more: drops what none of them covers, and says what. */
  keepOnly(patterns: ReadonlySet<string>): readonly ViewChange[] {
    for (const each of this.#syncedHere) if (!patterns.has(each)) this.#syncedHere.delete(each);
    this.#covered = new Set([...this.#covered].filter((each) => patterns.has(each)));
    const isKept = (topic: string): boolean => {
      for (const pattern of patterns) if (matchesTopic(pattern, topic)) return true;
      return false;
    };
    const changes: ViewChange[] = [];
    for (const [topic, { document }] of this.#known) {
      if (isKept(topic)) continue;
      this.#forget(topic);
      this.#asked.delete(topic);
      if (document !== undefined) changes.push({ topic, document: undefined });
    }
    for (const topic of this.#lastEvents.keys()) if (!isKept(topic)) this.#lastEvents.delete(topic);
    return changes;
  }

  apply(message: ServerMessage): ViewResult {
    switch (message.type) {
      case 'snapshot':
        return this.#snapshot(message.payload.items, message.payload.removed);
      case 'update':
        return merge([this.#update(message.payload)]);
      case 'synced':
        for (const pattern of message.payload.topics) this.#syncedHere.add(pattern);
        this.#goTo(message.payload.position);
        return this.#synced(message.payload);
      case 'position':
        // Before anything is synced here, it says nothing of what is known here.
        if (this.#syncedHere.size > 0) this.#goTo(message.payload.position);
        return NOTHING;
      case 'event':
      case 'broadcast':
        return this.#isNew(message) ? NOTHING : REPEATED;
      case 'gap':
        return this.firstMissing(message.payload) > message.payload.to_seq ? REPEATED : NOTHING;
      case 'welcome':
      case 'broadcast_ack':
      case 'response':
      case 'echo':
      case 'clients_list':
      case 'ping':
      case 'pong':
      case 'error':
      case 'closing':
        return NOTHING;
    }
  }

  #snapshot(items: readonly SnapshotItem[], removed: readonly Version[]): ViewResult {
    return merge([
      ...items.map((item) => this.#whole({ ...item, full: true }, item.state)),
      ...removed.map((version) => this.#whole({ ...version, removed: true }, undefined)),
    ]);
  }

  #update(update: UpdatePayload): ViewResult {
    if ('full' in update) return this.#whole(update, update.state);
    const { topic, epoch, seq } = update;
    const known = this.#known.get(topic);
    if (known === undefined) return 'removed' in update ? this.#whole(update, undefined) : this.#ask(topic);
    if (known.epoch !== epoch) return this.#ask(topic);
    if (seq <= known.seq) return NOTHING;
    if ('removed' in update) return this.#whole(update, undefined);
    if (known.document === undefined || update.prev !== known.seq) return this.#ask(topic);
    const document = applyPatch(known.document, update.patch);
    this.#known.set(topic, { epoch, seq, document });
    return { changes: [{ topic, document, update }], resync: [] };
  }

  /** The whole truth about a topic, which needs nothing before it. */
  #whole(update: UpdatePayload, document: JsonObject | undefined): ViewResult {
    const { topic, epoch, seq } = update;
    const known = this.#known.get(topic);
    this.#asked.delete(topic);
    for (const received of this.#received.values()) received.add(topic);
    if (known !== undefined && known.epoch === epoch && seq <= known.seq) return NOTHING;
    this.#known.set(topic, { epoch, seq, document });
    this.#gone.delete(topic);
    if (document === undefined) this.#remember(topic);
    // The end of what one never knew of is no news.
    if (document === undefined && known?.document === undefined) return NOTHING;
    return { changes: [{ topic, document, update }], resync: [] };
  }

  #ask(topic: string): ViewResult {
    if (this.#asked.has(topic)) return NOTHING;
    this.#asked.add(topic);
    return { changes: [], resync: [topic] };
  }

  /** What was synced on an earlier connection only is not known up to a position of this one. */
  #goTo(position: Position): void {
    this.#position = position;
    if (
      this.#covered.size !== this.#syncedHere.size ||
      ![...this.#syncedHere].every((each) => this.#covered.has(each))
    )
      this.#covered = new Set(this.#syncedHere);
  }

  #isNew(message: Extract<ServerMessage, { type: 'event' | 'broadcast' }>): boolean {
    const { topic, epoch, seq } = message.payload;
    // Those that are acknowledged are sent again out of order.
    if (message.ack_required === true) return this.#isNewId(eventKey(message));
    const last = this.#lastEvents.get(topic);
    if (last !== undefined && last.epoch === epoch && seq <= last.seq) return false;
    // Set anew, so that the topic which was silent for longest is the first to go.
    this.#lastEvents.delete(topic);
    this.#lastEvents.set(topic, { epoch, seq });
    const [oldest] = this.#lastEvents.keys();
    if (oldest !== undefined && this.#lastEvents.size > MAX_REMEMBERED) this.#lastEvents.delete(oldest);
    return true;
  }

  #isNewId(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    const [oldest] = this.#ids;
    if (oldest !== undefined && this.#ids.size > MAX_IDS) this.#ids.delete(oldest);
    return true;
  }

  /** After a full answer, what it covers and did not hold is gone; there is nothing to remember of it. */
  #synced({ reply_to: replyTo, mode, topics: patterns }: Synced): ViewResult {
    const received = this.#received.get(replyTo);
    if (received === undefined) return NOTHING;
    this.#received.delete(replyTo);
    if (mode === 'since') return NOTHING;
    const changes: ViewChange[] = [];
    for (const [topic, { document }] of this.#known) {
      if (received.has(topic) || !patterns.some((pattern) => matchesTopic(pattern, topic))) continue;
      this.#forget(topic);
      if (document !== undefined) changes.push({ topic, document: undefined });
    }
    return { changes, resync: [] };
  }

  /** A topic that is gone goes on counting if it returns; but not so many of them, and not for ever. */
  #remember(topic: string): void {
    this.#gone.add(topic);
    const [oldest] = this.#gone;
    if (oldest !== undefined && this.#gone.size > MAX_REMEMBERED) this.#forget(oldest);
  }

  #forget(topic: string): void {
    this.#known.delete(topic);
    this.#gone.delete(topic);
  }
}

function eventKey({ id, payload }: Extract<ServerMessage, { type: 'event' | 'broadcast' }>): string {
  return `${payload.epoch} ${id}`;
}

function merge(results: readonly ViewResult[]): ViewResult {
  return {
    changes: results.flatMap((each) => each.changes),
    resync: results.flatMap((each) => each.resync),
  };
}
