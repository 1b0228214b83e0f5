import {
  applyPatch,
  type JsonObject,
  matchesTopic,
  type Position,
  type ServerMessage,
  type UpdatePayload,
} from '../contract/wire/index.ts';
import { dropOldest } from './bounded.ts';

/** One document changed; `update` says it as it came, a snapshot's item as a full one. */
export interface ViewChange {
  readonly topic: string;
  /** Absent: the topic was removed. */
  readonly document: JsonObject | undefined;
  /** Absent where the topic is gone because a full answer did not hold it. */
  readonly update?: UpdatePayload;
}

/** What a message means for a subscriber of the feed. */
export interface ViewResult {
  readonly changes: readonly ViewChange[];
  /** Topics to ask for with one `resync`; each is named once until its document has come. */
  readonly resync: readonly string[];
  /** An event or a gap that came before: after a reconnect, some may come twice. */
  readonly repeated: boolean;
}

type Synced = Extract<ServerMessage, { type: 'synced' }>['payload'];
type GapRange = Extract<ServerMessage, { type: 'gap' }>['payload'];
type EventMessage = Extract<ServerMessage, { type: 'event' | 'broadcast' }>;

interface Known {
  readonly epoch: string;
  readonly seq: number;
  readonly document: JsonObject | undefined;
}

/** Ids that are remembered, of acknowledged events and of broadcasts; the server has far fewer out, and keeps no more. */
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
  #topics: readonly string[] | undefined;
  /** Topics of `#known` that are gone, the oldest first. */
  readonly #gone = new Set<string>();
  /** What came since each open subscription was sent, by the id of the request. */
  readonly #received = new Map<string | undefined, Set<string>>();
  readonly #asked = new Set<string>();
  #position: Position = {};
  /** Patterns that were synced at the position. */
  readonly #covered = new Set<string>();
  /** The position is one of this connection. */
  #isHere = false;
  /** The `seq` of the last event, by epoch and topic: what one owner of a device said may come again after the next one spoke. */
  readonly #lastEvents = new Map<string, number>();
  readonly #ids = new Set<string>();
  /** Of broadcasts: very many events may come between one that came early and the same again. */
  readonly #broadcastIds = new Set<string>();
  /** What the message in hand brings about. */
  #changes: ViewChange[] = [];
  #resync: string[] = [];

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
    return Math.max(from, (this.#lastEvents.get(`${epoch} ${topic}`) ?? 0) + 1);
  }

  document(topic: string): JsonObject | undefined {
    return this.#known.get(topic)?.document;
  }

  /** The topics that have a document; the same list until they are others. */
  topics(): readonly string[] {
    this.#topics ??= [...this.#known.keys()].filter((topic) => this.document(topic));
    return this.#topics;
  }

  /** To be called for every new connection, before its first message: nothing asked for on the old one will come. */
  connected(): void {
    this.#received.clear();
    this.#asked.clear();
    this.#isHere = false;
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
  notTaken(event: EventMessage): void {
    this.#idsOf(event).delete(event.id);
  }

  /** Only these patterns are followed any more: drops what none of them covers, and says what. */
  keepOnly(patterns: ReadonlySet<string>): readonly ViewChange[] {
    for (const each of this.#covered) if (!patterns.has(each)) this.#covered.delete(each);
    const isGone = (topic: string): boolean => !isCovered(patterns, topic);
    this.#changes = [];
    this.#drop(isGone);
    for (const key of this.#lastEvents.keys())
      if (isGone(key.slice(key.indexOf(' ') + 1))) this.#lastEvents.delete(key);
    return this.#changes;
  }

  apply(message: ServerMessage): ViewResult {
    this.#changes = [];
    this.#resync = [];
    const repeated = this.#take(message);
    return { changes: this.#changes, resync: this.#resync, repeated };
  }

  #idsOf({ type }: EventMessage): Set<string> {
    return type === 'broadcast' ? this.#broadcastIds : this.#ids;
  }

  /** Whether it came before. */
  #take(message: ServerMessage): boolean {
    switch (message.type) {
      case 'snapshot':
        for (const item of message.payload.items) this.#whole({ ...item, full: true }, item.state);
        for (const version of message.payload.removed) this.#whole({ ...version, removed: true });
        break;
      case 'update':
        this.#update(message.payload);
        break;
      case 'synced':
        this.#synced(message.payload);
        break;
      case 'position':
        // Before anything is synced here, it says nothing of what is known here.
        if (this.#isHere) this.#position = message.payload.position;
        break;
      case 'event':
      case 'broadcast':
        return !this.#isNew(message);
      case 'gap':
        return this.firstMissing(message.payload) > message.payload.to_seq;
      case 'welcome':
      case 'broadcast_ack':
      case 'response':
      case 'echo':
      case 'clients_list':
      case 'ping':
      case 'pong':
      case 'error':
      case 'closing':
    }
    return false;
  }

  #update(update: UpdatePayload): void {
    if ('full' in update) return this.#whole(update, update.state);
    const { topic, epoch, seq } = update;
    const known = this.#known.get(topic);
    const isSame = known?.epoch === epoch;
    if (isSame && seq <= known.seq) return;
    if ('removed' in update) {
      if (isSame || known === undefined) return this.#whole(update);
    } else if (isSame && known.document !== undefined && update.prev === known.seq)
      return this.#know(update, applyPatch(known.document, update.patch));
    if (this.#asked.has(topic)) return;
    this.#asked.add(topic);
    this.#resync.push(topic);
  }

  /** The whole truth about a topic, which needs nothing before it. */
  #whole(update: UpdatePayload, document?: JsonObject): void {
    const { topic, epoch, seq } = update;
    const known = this.#known.get(topic);
    this.#asked.delete(topic);
    for (const received of this.#received.values()) received.add(topic);
    if (known?.epoch === epoch && seq <= known.seq) return;
    // The instance that gave the position may know it better, and has no reason to say it again.
    if (known && known.epoch !== epoch && !this.#isHere) this.#covered.clear();
    this.#gone.delete(topic);
    this.#know(update, document);
    if (document !== undefined) return;
    // It goes on counting if it returns; but not so many of them, and not for ever.
    this.#gone.add(topic);
    dropOldest(this.#gone, MAX_REMEMBERED, (oldest) => this.#forget(oldest));
  }

  #know(update: UpdatePayload, document: JsonObject | undefined): void {
    const { topic, epoch, seq } = update;
    const before = this.document(topic);
    if (!document !== !before) this.#topics = undefined;
    // The end of what one never knew of is no news.
    if (document ?? before) this.#changes.push({ topic, document, update });
    this.#known.set(topic, { epoch, seq, document });
  }

  #isNew(message: EventMessage): boolean {
    const { topic, epoch, seq } = message.payload;
    // These may come out of order: what is acknowledged is sent again, and a broadcast comes to every client, also before the
    // earlier ones are recovered by who asks for them.
    if (message.ack_required === true || message.type === 'broadcast') {
      const { id } = message;
      const ids = this.#idsOf(message);
      if (ids.has(id)) return false;
      ids.add(id);
      dropOldest(ids, MAX_IDS);
      return true;
    }
    const key = `${epoch} ${topic}`;
    if (seq <= (this.#lastEvents.get(key) ?? 0)) return false;
    // Set again, so that the topic which was silent for longest is the first to go.
    this.#lastEvents.delete(key);
    this.#lastEvents.set(key, seq);
    dropOldest(this.#lastEvents, MAX_REMEMBERED);
    return true;
  }

  #synced({ reply_to: replyTo, mode, topics: patterns, position }: Synced): void {
    // What was synced on an earlier connection only is not known up to a position of this one.
    if (!this.#isHere) this.#covered.clear();
    this.#isHere = true;
    this.#position = position;
    for (const pattern of patterns) this.#covered.add(pattern);
    const received = this.#received.get(replyTo);
    this.#received.delete(replyTo);
    // After a full answer, what it covers and did not hold is gone; there is nothing to remember of it.
    if (received !== undefined && mode !== 'since')
      this.#drop((topic) => !received.has(topic) && isCovered(patterns, topic));
  }

  #drop(isGone: (topic: string) => boolean): void {
    for (const [topic, { document }] of this.#known) {
      if (!isGone(topic)) continue;
      this.#forget(topic);
      if (document !== undefined) this.#changes.push({ topic, document: undefined });
    }
  }

  #forget(topic: string): void {
    this.#topics = undefined;
    this.#known.delete(topic);
    this.#gone.delete(topic);
    this.#asked.delete(topic);
  }
}

function isCovered(patterns: Iterable<string>, topic: string): boolean {
  for (const pattern of patterns) if (matchesTopic(pattern, topic)) return true;
  return false;
}
