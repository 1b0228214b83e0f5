import type { FeedView } from '../../src/client/view.ts';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import { matchesTopic } from '../../src/contract/wire/topic.ts';
import { BROADCAST_TOPIC } from '../../src/feed/core/store.ts';
import type { ModelHistory } from './model-history.ts';

/** What one `subscribe` of a client asks for, the same each time. */
export interface ModelGroup {
  readonly patterns: readonly string[];
  readonly maxHz?: number;
  /** It is not wanted from the start. */
  readonly later?: boolean;
}

/** One state of one topic. */
interface Known {
  readonly topic: string;
  readonly epoch: string;
  readonly seq: number;
}

/** What really happened. */
export interface Truth {
  /** Of the present life. */
  readonly history: ModelHistory;
  readonly store: { readonly epoch: string };
}

/** Which events a client is owed, and how far it was looked whether it has them. */
export interface Owed {
  readonly group: ModelGroup;
  readonly owedFrom: { readonly epoch: string; readonly rev: number } | undefined;
  checked: number;
}

type Gap = Extract<ServerMessage, { type: 'gap' }>['payload'];

/** What one client was told, held against what it is told that it knows. */
export class ModelKnowledge {
  readonly #truth: Truth;
  readonly #view: FeedView;
  readonly #breaches: string[];
  /** Events taken for new, as `epoch topic seq`. */
  readonly #applied = new Set<string>();
  readonly #missing: Array<{ epoch: string; topic: string; from: number; to: number }> = [];
  readonly #versions = new Map<string, Known>();
  /** On this connection. */
  readonly #lastSeqs = new Map<string, number>();

  constructor(truth: Truth, view: FeedView, breaches: string[]) {
    this.#truth = truth;
    this.#view = view;
    this.#breaches = breaches;
  }

  connected(): void {
    this.#lastSeqs.clear();
  }

  mayBeToldAgain(which: (topic: string) => boolean): void {
    for (const topic of this.#lastSeqs.keys()) if (which(topic)) this.#lastSeqs.delete(topic);
  }

  version(version: Known): void {
    const { topic, epoch, seq } = version;
    const known = this.#versions.get(topic);
    if (known?.epoch !== epoch || known.seq < seq) this.#versions.set(topic, version);
  }

  event({ epoch, topic, seq }: Known, acked: boolean, repeated: boolean): void {
    // A broadcast comes to everybody, and again to who recovers it.
    if (!acked && topic !== BROADCAST_TOPIC) {
      if (seq <= (this.#lastSeqs.get(topic) ?? 0))
        this.#breaches.push(`${topic} ${seq} twice or late on a connection`);
      this.#lastSeqs.set(topic, seq);
    }
    if (repeated) return;
    const key = `${epoch} ${topic} ${seq}`;
    if (this.#applied.has(key)) this.#breaches.push(`${key} applied twice`);
    this.#applied.add(key);
  }

  gap(gap: Gap): void {
    const { epoch, topic, to_seq: to } = gap;
    this.#missing.push({ epoch, topic, from: this.#view.firstMissing(gap), to });
  }

  /** Every document as of a position is known, or a newer one. */
  checkStates(group: ModelGroup, rev: number): void {
    const { history, store } = this.#truth;
    for (const topic of history.topics) {
      const last = covers(group, topic) ? history.at(topic, rev) : undefined;
      if (last === undefined) continue;
      const own = this.#versions.get(topic);
      if (own?.epoch === store.epoch && own.seq >= last.seq) continue;
      // A full answer says nothing of what is gone.
      if (this.#view.document(topic) === undefined && history.removedSince(topic, last.rev)) continue;
      this.#breaches.push(`position ${rev} claims ${topic} ${last.seq}`);
    }
  }

  /** Every event up to a position is known, or known to be lost. */
  checkEvents(owed: Owed, rev: number, which = (_topic: string): boolean => true): void {
    const { events } = this.#truth.history;
    const { owedFrom, group } = owed;
    if (owedFrom === undefined) return;
    for (let event = events[owed.checked]; event !== undefined && event.rev <= rev; ) {
      const { topic, seq } = event;
      const isOwed = event.rev > owedFrom.rev && covers(group, topic) && which(topic);
      if (isOwed && !this.#knowsOf(owedFrom.epoch, topic, seq))
        this.#breaches.push(`position ${rev} hides event ${topic} ${seq}`);
      event = events[++owed.checked];
    }
  }

  #knowsOf(epoch: string, topic: string, seq: number): boolean {
    return (
      this.#applied.has(`${epoch} ${topic} ${seq}`) ||
      this.#missing.some(
        (each) => each.epoch === epoch && each.topic === topic && each.from <= seq && seq <= each.to,
      )
    );
  }
}

export function covers({ patterns }: ModelGroup, topic: string): boolean {
  return patterns.some((pattern) => matchesTopic(pattern, topic));
}
