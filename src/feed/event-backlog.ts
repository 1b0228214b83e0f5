import type { Instant } from '../instant.ts';
import type { Delivery } from './cohort.ts';

/** Events that one subscriber may have waiting. */
export const BACKLOG_MESSAGES = 1_000;
export const BACKLOG_BYTES = 1024 * 1024;

/** Events of one topic that were dropped. */
export interface Gap {
  readonly topic: string;
  readonly fromSeq: number;
  readonly toSeq: number;
  /** Of the first event dropped. */
  readonly rev: number;
}

interface Waiting {
  readonly topic: string;
  readonly rev: number;
  readonly seq: number;
  readonly frame: Uint8Array;
}

/** Events that wait for a subscriber that is behind; beyond the bounds the oldest go, and each loss is remembered as a gap. */
export class EventBacklog {
  #waiting: Waiting[] = [];
  #head = 0;
  #bytes = 0;
  readonly #gaps = new Map<string, Gap>();

  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#head === this.#waiting.length && this.#gaps.size === 0;
  }

  push(delivery: Delivery, now: Instant): void {
    const { change } = delivery;
    if (change.kind === 'position') return;
    const frame = delivery.frame(now);
    this.#waiting.push({ topic: change.topic, rev: change.rev, seq: change.seq, frame });
    this.#bytes += frame.length;
    while (this.#waiting.length - this.#head > BACKLOG_MESSAGES || this.#bytes > BACKLOG_BYTES) this.#drop();
  }

  takeGap(): Gap | undefined {
    const [gap] = this.#gaps.values();
    if (gap !== undefined) this.#gaps.delete(gap.topic);
    return gap;
  }

  /** Gaps are to be taken first: a gap comes before the events that follow it. */
  takeEvent(): Uint8Array | undefined {
    return this.#shift()?.frame;
  }

  /** Forgets what is no longer wanted. */
  retain(wanted: (topic: string) => boolean): void {
    const kept = this.#waiting.slice(this.#head).filter((each) => wanted(each.topic));
    this.#waiting = kept;
    this.#head = 0;
    this.#bytes = kept.reduce((sum, each) => sum + each.frame.length, 0);
    for (const topic of [...this.#gaps.keys()]) if (!wanted(topic)) this.#gaps.delete(topic);
  }

  /** The `rev` of the oldest event that was not said yet, whether it waits or is lost. */
  firstRev(): number | undefined {
    let first = this.#waiting[this.#head]?.rev;
    for (const { rev } of this.#gaps.values()) if (first === undefined || rev < first) first = rev;
    return first;
  }

  #drop(): void {
    const lost = this.#shift();
    if (lost === undefined) return;
    const { topic, seq } = lost;
    const gap = this.#gaps.get(topic);
    this.#gaps.set(topic, { topic, fromSeq: gap?.fromSeq ?? seq, toSeq: seq, rev: gap?.rev ?? lost.rev });
  }

  #shift(): Waiting | undefined {
    const first = this.#waiting[this.#head];
    if (first === undefined) return undefined;
    this.#head++;
    this.#bytes -= first.frame.length;
    if (this.#head > BACKLOG_MESSAGES) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }
}
