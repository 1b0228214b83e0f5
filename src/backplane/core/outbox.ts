import type { Json, JsonObject } from '../../contract/wire/index.ts';
import type { Part } from './backplane.ts';
import type { SharedChange } from './change-text.ts';

/** Changes of one topic that wait one behind the other; beyond it the present document goes instead. */
const PATCHES = 4;
/** Events that wait, and characters of them; beyond it the newest are lost, and counted. */
const MOST_EVENTS = 10_000;
const MOST_EVENT_LENGTH = 16 * 2 ** 20;
/** Characters of one batch, roughly. */
const BATCH_LENGTH = 512 * 1_024;

/** What an owner says of a topic. */
export type OwnChange =
  | {
      readonly kind: 'state';
      readonly topic: string;
      readonly seq: number;
      readonly document: JsonObject;
      readonly patch?: { readonly prev: number; readonly body: JsonObject } | undefined;
    }
  | { readonly kind: 'removal'; readonly topic: string; readonly seq: number }
  | {
      readonly kind: 'event';
      readonly topic: string;
      readonly seq: number;
      readonly id: string;
      readonly data: JsonObject;
    }
  | {
      readonly kind: 'broadcast';
      readonly topic: string;
      readonly seq: number;
      readonly id: string;
      readonly from: string;
      readonly data: Json;
    }
  /** Events of the topic up to this `seq` are lost. */
  | { readonly kind: 'loss'; readonly topic: string; readonly seq: number };

interface Waiting {
  /** The last document or removal of each topic that waits, with the patches that lead there. */
  readonly states: Map<string, { latest: OwnChange; patches: number; whole: boolean }>;
  /** In order. */
  changes: OwnChange[];
}

/** A batch on its way, by unit. */
export interface Batch {
  readonly parts: readonly Part[];
  readonly changes: ReadonlyMap<string, readonly OwnChange[]>;
  /** Where it holds all that waited: up to which `rev` of the feed. */
  readonly upTo: number | undefined;
}

/**
 * What an owner has to publish, by unit. While a batch is on its way, states of one topic replace each other; events wait
 * in a bounded queue. Nothing is lost by a failure: a batch that failed goes again, with documents instead of patches.
 */
export class Outbox {
  readonly #life: string;
  readonly #shardOf: (unit: string, topic: string) => number;
  readonly #units = new Map<string, Waiting>();
  /** The `seq` of each topic that the log has of this life; a patch may follow it only. */
  readonly #published = new Map<string, number>();
  #events = 0;
  #eventLength = 0;
  /** Events for which there was no room. */
  lost = 0;

  constructor(life: string, shardOf: (unit: string, topic: string) => number) {
    this.#life = life;
    this.#shardOf = shardOf;
  }

  get empty(): boolean {
    return this.#units.size === 0;
  }

  /** Units that wait. */
  get size(): number {
    return this.#units.size;
  }

  has(unit: string): boolean {
    return this.#units.has(unit);
  }

  get waitingEvents(): number {
    return this.#events;
  }

  add(unit: string, change: OwnChange): void {
    const waiting = this.#waiting(unit);
    if (change.kind === 'event' || change.kind === 'broadcast') {
      const length = lengthOf(change);
      if (this.#events >= MOST_EVENTS || this.#eventLength + length > MOST_EVENT_LENGTH) {
        this.lost++;
        this.#lose(waiting, change);
        return;
      }
      this.#events++;
      this.#eventLength += length;
      waiting.changes.push(change);
      return;
    }
    if (change.kind === 'loss') return this.#lose(waiting, change);
    const known = waiting.states.get(change.topic);
    const patched = change.kind === 'state' && change.patch !== undefined;
    if (known !== undefined && (!patched || known.whole || known.patches >= PATCHES)) {
      // The present one says all; it stands where the newest change does.
      waiting.changes = waiting.changes.filter((each) => each.topic !== change.topic || !isState(each));
      waiting.states.set(change.topic, { latest: change, patches: 0, whole: true });
      waiting.changes.push(wholeOf(change));
      return;
    }
    const follows =
      patched && (known !== undefined || this.#published.get(change.topic) === change.patch.prev);
    const next = follows ? change : wholeOf(change);
    waiting.states.set(change.topic, {
      latest: change,
      patches: (known?.patches ?? 0) + 1,
      whole: !follows,
    });
    waiting.changes.push(next);
  }

  /** Forgets a unit that another life has now; its events that waited are lost. */
  drop(unit: string): readonly OwnChange[] {
    const waiting = this.#units.get(unit);
    if (waiting === undefined) return [];
    this.#units.delete(unit);
    for (const change of waiting.changes) this.#took(change);
    return waiting.changes;
  }

  /** Says of events that they will not be published; whichever life has their unit by now. */
  lose(changes: readonly OwnChange[]): void {
    for (const change of changes) if (!isState(change)) this.#lose(this.#waiting(''), change);
  }

  #lose({ changes }: Waiting, { topic, seq }: OwnChange): void {
    const at = changes.findLastIndex((each) => each.topic === topic);
    const loss: OwnChange = { kind: 'loss', topic, seq };
    if (changes[at]?.kind === 'loss') changes[at] = loss;
    else changes.push(loss);
  }

  /** The log lost what it had: no patch may follow what was published before. */
  forgetPublished(): void {
    this.#published.clear();
  }

  /** The next batch, which is `done` or `failed` before another one is taken; the feed is at `rev`. */
  take(tokenOf: (unit: string) => number | undefined, rev: number): Batch {
    const parts: Part[] = [];
    const taken = new Map<string, readonly OwnChange[]>();
    let length = 0;
    for (const [unit, waiting] of this.#units) {
      if (length >= BATCH_LENGTH) break;
      const token = unit === '' ? 0 : tokenOf(unit);
      // Its lease is still asked for.
      if (token === undefined) continue;
      this.#units.delete(unit);
      taken.set(unit, waiting.changes);
      for (const change of waiting.changes) this.#took(change);
      for (const part of this.#partsOf(unit, token, waiting)) {
        parts.push(part);
        length += part.changes.length + part.documents.reduce((sum, { text }) => sum + text.length, 0);
      }
    }
    const upTo = this.#units.size === 0 ? rev : undefined;
    return { parts: upTo === undefined ? parts : withMarks(parts, upTo), changes: taken, upTo };
  }

  done(batch: Batch): void {
    for (const changes of batch.changes.values()) {
      for (const { kind, topic, seq } of changes) {
        if (kind === 'state') this.#published.set(topic, seq);
        else if (kind === 'removal') this.#published.delete(topic);
      }
    }
  }

  /** It may have been published, or a part of it: readers leave out what they have. */
  failed(batch: Batch): void {
    for (const [unit, changes] of batch.changes) {
      const later = this.#units.get(unit)?.changes ?? [];
      this.drop(unit);
      for (const { topic } of changes) this.#published.delete(topic);
      const again = [...changes, ...later];
      const last = new Map<string, number>();
      for (const [at, { kind, topic }] of again.entries())
        if (kind === 'state' || kind === 'removal') last.set(topic, at);
      for (const [at, change] of again.entries())
        if (!isState(change) || last.get(change.topic) === at) this.add(unit, wholeOf(change));
    }
  }

  #waiting(unit: string): Waiting {
    const known = this.#units.get(unit);
    if (known !== undefined) return known;
    const made: Waiting = { states: new Map(), changes: [] };
    this.#units.set(unit, made);
    return made;
  }

  #took(change: OwnChange): void {
    if (change.kind !== 'event' && change.kind !== 'broadcast') return;
    this.#events--;
    this.#eventLength -= lengthOf(change);
  }

  /** One part for a unit; what belongs to the instance itself may lie in several shards. */
  *#partsOf(unit: string, token: number, { changes, states }: Waiting): Generator<Part> {
    const byShard = new Map<number, OwnChange[]>();
    for (const change of changes) {
      const shard = this.#shardOf(unit, change.topic);
      const some = byShard.get(shard);
      if (some === undefined) byShard.set(shard, [change]);
      else some.push(change);
    }
    for (const [shard, some] of byShard) {
      const topics = new Set(some.map(({ topic }) => topic));
      const documents = [];
      const removed: string[] = [];
      for (const topic of topics) {
        const latest = states.get(topic)?.latest;
        if (latest?.kind === 'removal') removed.push(topic);
        if (latest?.kind !== 'state') continue;
        const text = JSON.stringify({ l: this.#life, s: latest.seq, d: latest.document });
        documents.push({ topic, text });
      }
      yield { shard, unit, token, changes: JSON.stringify(some.map(sharedOf)), documents, removed };
    }
  }
}

/** The last part of each shard says up to where it goes. */
function withMarks(parts: readonly Part[], upTo: number): readonly Part[] {
  const last = new Map(parts.map(({ shard }, index) => [shard, index]));
  const mark = JSON.stringify(['said', '', upTo] satisfies SharedChange);
  return parts.map((part, index) =>
    last.get(part.shard) === index ? { ...part, changes: `${part.changes.slice(0, -1)},${mark}]` } : part,
  );
}

const isState = ({ kind }: OwnChange): boolean => kind === 'state' || kind === 'removal';

function wholeOf(change: OwnChange): OwnChange {
  return change.kind === 'state' ? { ...change, patch: undefined } : change;
}

function sharedOf(change: OwnChange): SharedChange {
  const { topic, seq } = change;
  switch (change.kind) {
    case 'state': {
      const { patch, document } = change;
      return patch === undefined
        ? ['document', topic, seq, document]
        : ['patch', topic, seq, patch.prev, patch.body];
    }
    case 'removal':
      return ['removal', topic, seq];
    case 'event':
      return ['event', topic, seq, change.data, change.id];
    case 'broadcast':
      return ['broadcast', topic, seq, change.from, change.data, change.id];
    case 'loss':
      return ['lost', topic, seq];
  }
}

/** Roughly: events are small, and this is asked for each of them twice. */
function lengthOf(change: OwnChange): number {
  if (change.kind !== 'event' && change.kind !== 'broadcast') return 0;
  return sizeOf(change.data, 4);
}

function sizeOf(value: Json | undefined, depth: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  if (depth === 0) return 64;
  let size = 2;
  for (const each of Object.values(value)) size += 8 + sizeOf(each, depth - 1);
  return size;
}
