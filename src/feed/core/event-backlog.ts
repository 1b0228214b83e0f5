import type { Gap, PastEvent } from './event-log.ts';
import type { FeedTally } from './feed-tally.ts';

/** Events that one subscriber may have waiting. */
const BACKLOG_MESSAGES = 1_000;
const BACKLOG_BYTES = 1024 * 1024;

/** An event on its way to one subscriber. */
export interface Waiting {
  readonly event: PastEvent;
  readonly frame: Uint8Array;
}

/** Events that wait for a subscriber that is behind; beyond the bounds the oldest go, and each loss is remembered as a gap. */
export class EventBacklog {
  #waiting: Waiting[] = [];
  #head = 0;
  #bytes = 0;
  readonly #gaps = new Map<string, Gap>();
  readonly #tally: FeedTally;

  constructor(tally: FeedTally) {
    this.#tally = tally;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get #count(): number {
    return this.#waiting.length - this.#head;
  }

  get empty(): boolean {
    return this.#head === this.#waiting.length && this.#gaps.size === 0;
  }

  push(event: PastEvent, frame: Uint8Array): void {
    this.#waiting.push({ event, frame });
    this.#bytes += frame.length;
    // The last one stays, however large it is: it would never come through to who gets all events this way.
    while (this.#count > BACKLOG_MESSAGES || (this.#count > 1 && this.#bytes > BACKLOG_BYTES)) this.#drop();
  }

  /** Puts the events in their order again, after some were pushed that are older than others here. */
  order(): void {
    this.#waiting = this.#waiting.slice(this.#head).sort((a, b) => a.event.rev - b.event.rev);
    this.#head = 0;
  }

  takeGap(): Gap | undefined {
    const [gap] = this.#gaps.values();
    if (gap !== undefined) this.#gaps.delete(gap.topic);
    return gap;
  }

  /** Gaps are to be taken first: a gap comes before the events that follow it. */
  takeEvent(): Waiting | undefined {
    return this.#shift();
  }

  /** Forgets what is no longer wanted. */
  retain(wanted: (topic: string) => boolean): void {
    const kept = this.#waiting.slice(this.#head).filter(({ event }) => wanted(event.topic));
    this.#waiting = kept;
    this.#head = 0;
    this.#bytes = kept.reduce((sum, each) => sum + each.frame.length, 0);
    for (const topic of [...this.#gaps.keys()]) if (!wanted(topic)) this.#gaps.delete(topic);
  }

  /** The `rev` of the oldest event that was not said yet, whether it waits or is lost. */
  firstRev(): number | undefined {
    let first = this.#waiting[this.#head]?.event.rev;
    for (const { rev } of this.#gaps.values()) if (first === undefined || rev < first) first = rev;
    return first;
  }

  #drop(): void {
    const lost = this.#shift();
    if (lost === undefined) return;
    this.#tally.droppedSlow += 1;
    const { topic, seq, rev } = lost.event;
    const gap = this.#gaps.get(topic);
    this.#gaps.set(topic, {
      topic,
      fromSeq: gap?.fromSeq ?? seq,
      toSeq: seq,
      rev: gap?.rev ?? rev,
      reason: 'slow_consumer',
    });
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
