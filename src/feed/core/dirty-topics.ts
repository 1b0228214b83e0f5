import { CHUNK_BYTES } from './encoder.ts';

/** One `subscribe` whose snapshot is under way. */
export interface SnapshotRequest {
  readonly replyTo: string | undefined;
  /** `since`: only what changed was owed. */
  readonly mode: 'full' | 'since';
  /** Those of them that were not unsubscribed meanwhile. */
  patterns: readonly string[];
  /** Topics that have not been taken yet, and one for past events. */
  remaining: number;
  /** A snapshot message was sent; every request gets one at least, be it empty. */
  answered: boolean;
}

interface Mark {
  /** Of the first change that the subscriber missed, where it was in step before. */
  missedRev: number | undefined;
  /** Snapshots that still owe this topic. */
  requests: SnapshotRequest[];
}

/** What to send next: some topics of one snapshot, or one topic of which changes were missed. */
export type Due =
  | { readonly kind: 'snapshot'; readonly request: SnapshotRequest; readonly topics: readonly string[] }
  | { readonly kind: 'full'; readonly topic: string };

/** Room for the envelope of a snapshot. */
const ENVELOPE_BYTES = 1_024;

/** One mark for each topic of which a subscriber has not been told the present document; first marked, first told. */
export class DirtyTopics {
  readonly #marks = new Map<string, Mark>();

  get size(): number {
    return this.#marks.size;
  }

  /** A change was not written. */
  missed(topic: string, rev: number): void {
    const mark = this.#marks.get(topic);
    if (mark === undefined) this.#marks.set(topic, { missedRev: rev, requests: [] });
    else mark.missedRev ??= rev;
  }

  /** The whole document was asked for. */
  wanted(topic: string): void {
    if (!this.#marks.has(topic)) this.#marks.set(topic, { missedRev: undefined, requests: [] });
  }

  request(topic: string, request: SnapshotRequest): void {
    const mark = this.#marks.get(topic);
    if (mark === undefined) this.#marks.set(topic, { missedRev: undefined, requests: [request] });
    else mark.requests.push(request);
    request.remaining++;
  }

  /** Forgets topics that are no longer wanted; snapshots that owed them owe them no more. Returns those now complete. */
  retain(wanted: (topic: string) => boolean): SnapshotRequest[] {
    const complete: SnapshotRequest[] = [];
    for (const [topic, mark] of [...this.#marks]) {
      if (wanted(topic)) continue;
      this.#marks.delete(topic);
      for (const request of mark.requests) if (--request.remaining === 0) complete.push(request);
    }
    return complete;
  }

  /** Takes the next marks off; a snapshot gets as many topics as fit by `sizeOf`, and at least one. */
  take(sizeOf: (topic: string) => number): Due | undefined {
    const [first] = this.#marks;
    if (first === undefined) return undefined;
    const [topic, mark] = first;
    const [request] = mark.requests;
    if (request === undefined) {
      this.#marks.delete(topic);
      return { kind: 'full', topic };
    }
    const topics: string[] = [];
    const again: Array<[string, Mark]> = [];
    let size = ENVELOPE_BYTES;
    for (const [next, { requests }] of this.#marks) {
      if (requests[0] !== request) break;
      size += sizeOf(next) + 1;
      if (size > CHUNK_BYTES && topics.length > 0) break;
      topics.push(next);
      this.#marks.delete(next);
      if (requests.length > 1) again.push([next, { missedRev: undefined, requests: requests.slice(1) }]);
    }
    for (const [next, rest] of again) this.#marks.set(next, rest);
    request.remaining -= topics.length;
    return { kind: 'snapshot', request, topics };
  }

  /** The lowest `rev` that was missed. */
  firstRev(): number | undefined {
    let first: number | undefined;
    for (const { missedRev } of this.#marks.values()) {
      if (missedRev !== undefined && (first === undefined || missedRev < first)) first = missedRev;
    }
    return first;
  }
}
