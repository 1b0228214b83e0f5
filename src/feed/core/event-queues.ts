import { isAlarms } from '../../contract/wire/index.ts';
import type { Instant } from '../../instant.ts';
import { Ring } from '../../system/index.ts';
import { type AckKeeper, AckWindow } from './ack-window.ts';
import type { Loss } from './change.ts';
import type { Encoder, FeedTally } from './encoder.ts';
import type { Gap, PastEvent } from './event-log.ts';

/** Events that may wait in one queue. */
const QUEUE_MESSAGES = 1_000;
const QUEUE_BYTES = 1024 * 1024;

/** An event on its way to one subscriber. */
interface Waiting {
  readonly event: PastEvent;
  readonly frame: Uint8Array;
}

/** The terms of one subscriber. */
export interface EventTerms {
  /** Events of this topic are to be acknowledged. */
  acked(topic: string): boolean;
  /** An event of the past as the subscriber gets it. */
  variant(event: PastEvent): PastEvent;
}

/** A bounded queue of events for a subscriber that is behind; beyond the bounds the oldest go, and each loss becomes a gap. */
class EventQueue {
  readonly #waiting = new Ring<Waiting>();
  #bytes = 0;
  readonly #gaps = new Map<string, Gap>();
  readonly #tally: FeedTally;

  constructor(tally: FeedTally) {
    this.#tally = tally;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get empty(): boolean {
    return this.#waiting.length === 0 && this.#gaps.size === 0;
  }

  push(event: PastEvent, frame: Uint8Array): void {
    this.#waiting.push({ event, frame });
    this.#bytes += frame.length;
    // The last one stays, however large it is: else a subscriber that gets all events this way would never get it.
    if (this.#waiting.length > QUEUE_MESSAGES) this.#drop();
    while (this.#waiting.length > 1 && this.#bytes > QUEUE_BYTES) this.#drop();
  }

  /** Sorts the events again, after some were pushed that are older than others in the queue. */
  order(): void {
    this.#waiting.sort((a, b) => a.event.rev - b.event.rev);
  }

  takeGap(): Gap | undefined {
    const [gap] = this.#gaps.values();
    if (gap !== undefined) this.#gaps.delete(gap.topic);
    return gap;
  }

  /** To be called once there is no gap: a gap comes before the events that follow it. */
  takeEvent(): Waiting | undefined {
    return this.#shift();
  }

  /** Removes what is no longer wanted. */
  retain(wanted: (topic: string) => boolean): void {
    this.#waiting.retain(({ event, frame }) => {
      const kept = wanted(event.topic);
      if (!kept) this.#bytes -= frame.length;
      return kept;
    });
    for (const topic of [...this.#gaps.keys()]) if (!wanted(topic)) this.#gaps.delete(topic);
  }

  /** The `rev` of the oldest event that was not sent yet, whether it waits or is lost. */
  firstRev(): number | undefined {
    let first = this.#waiting.at(0)?.event.rev;
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
    const first = this.#waiting.shift();
    if (first !== undefined) this.#bytes -= first.frame.length;
    return first;
  }
}

/** What a reference to an event costs in memory, roughly. */
const REFERENCE_BYTES = 16;

/**
 * Events that wait for one subscriber. Past ones come before new ones; alarms before other new ones; those that need
 * an acknowledgement have queues of their own, so that no other event waits for an acknowledgement.
 */
export class EventQueues {
  readonly #encoder: Encoder;
  #keeper: AckKeeper;
  #gaps: Gap[] = [];
  /** Gaps whose events are being read from where they are kept for longer. */
  readonly #read = new Set<Gap>();
  readonly #past = new Ring<PastEvent>();
  readonly #alarms: EventQueue;
  readonly #plain: EventQueue;
  readonly #acked: EventQueue;
  readonly #ackedAlarms: EventQueue;
  readonly #tally: FeedTally;

  constructor(encoder: Encoder, tally: FeedTally, keeper: AckKeeper) {
    this.#encoder = encoder;
    this.#keeper = keeper;
    this.#tally = tally;
    this.#alarms = new EventQueue(tally);
    this.#plain = new EventQueue(tally);
    this.#acked = new EventQueue(tally);
    this.#ackedAlarms = new EventQueue(tally);
  }

  /** Attaches the window of a resumed session. */
  resume(keeper: AckKeeper): void {
    this.#keeper = keeper;
  }

  get #window(): AckWindow | undefined {
    return this.#keeper.window;
  }

  /** Nothing waits that the shared stream must not overtake. */
  get empty(): boolean {
    return this.pastSent && this.#alarms.empty && this.#plain.empty;
  }

  /** Nothing waits, and every event that needs an acknowledgement has one. */
  get idle(): boolean {
    const acked = this.#acked.empty && this.#ackedAlarms.empty;
    return this.empty && acked && (this.#window?.size ?? 0) === 0;
  }

  /** The events that the subscriber missed while it was away are sent, and their gaps. */
  get pastSent(): boolean {
    return this.#past.length === 0 && this.#gaps.length === 0 && this.#read.size === 0;
  }

  get bytes(): number {
    const references = this.#past.length * REFERENCE_BYTES;
    return this.#queues.reduce((sum, { bytes }) => sum + bytes, references);
  }

  push(event: PastEvent, frame: Uint8Array): void {
    (isAlarms(event.topic) ? this.#alarms : this.#plain).push(event, frame);
  }

  /** Events were lost before they came here; the subscriber learns it before what follows. */
  lost({ topic, fromSeq, seq: toSeq, rev }: Loss): void {
    this.#gaps.push({ topic, fromSeq, toSeq, rev, reason: 'lost' });
  }

  pushAcked(event: PastEvent, now: Instant): void {
    (isAlarms(event.topic) ? this.#ackedAlarms : this.#acked).push(event, this.#encoder.acked(event, now));
  }

  /** The events of a gap are being read: all that follow them wait. */
  await(gap: Gap): void {
    this.#read.add(gap);
  }

  /** They were read; false where they are not wanted any more. */
  arrived(gap: Gap): boolean {
    return this.#read.delete(gap);
  }

  /** Enqueues the events that the subscriber missed while it was away; those in the window are sent again anyway. */
  recover(gaps: readonly Gap[], events: readonly PastEvent[], terms: EventTerms, now: Instant): void {
    this.#gaps.push(...gaps);
    // Very many may wait already, and nothing is to be added.
    if (events.length === 0) return;
    for (const each of events) {
      const event = terms.variant(each);
      if (!terms.acked(event.topic)) this.#past.push(event);
      else if (this.#window?.claim(event) !== true) this.pushAcked(event, now);
    }
    // A later recovery may add earlier events, and the first one that was not sent yet must stand at the front.
    this.#past.sort((a, b) => a.rev - b.rev);
    this.#acked.order();
    this.#ackedAlarms.order();
  }

  /** Alarms go first, but never before older ones. */
  takeAlarm(now: Instant): Gap | Uint8Array | undefined {
    if (!this.pastSent) return undefined;
    return (
      this.#alarms.takeGap() ?? this.#alarms.takeEvent()?.frame ?? this.#takeAcked(this.#ackedAlarms, now)
    );
  }

  /** `drained`: the sink holds little, so that unacknowledged events may be sent again. */
  take(drained: boolean, now: Instant): Gap | Uint8Array | undefined {
    const gap = this.#gaps.shift();
    if (gap !== undefined) return gap;
    const again = drained ? this.#window?.again(now.monoMs) : undefined;
    if (again !== undefined && !('reason' in again)) return this.#encoder.acked(again, now);
    if (again !== undefined) {
      this.#tally.droppedUnacked += 1;
      return again;
    }
    if (this.#read.size > 0) return undefined;
    const past = this.#past.shift();
    if (past !== undefined) return this.#encoder.past(past, now);
    return this.#takeAcked(this.#acked, now) ?? this.#plain.takeGap() ?? this.#plain.takeEvent()?.frame;
  }

  retain(wanted: (topic: string) => boolean): void {
    this.#gaps = this.#gaps.filter(({ topic }) => wanted(topic));
    for (const gap of this.#read) if (!wanted(gap.topic)) this.#read.delete(gap);
    this.#past.retain(({ topic }) => wanted(topic));
    this.#window?.retain(wanted);
    for (const queue of this.#queues) queue.retain(wanted);
  }

  /** The lowest `rev` that was not sent yet, whether it waits or is lost. */
  firstRev(): number {
    const queues = this.#queues.map((each) => each.firstRev() ?? Infinity);
    return Math.min(
      ...queues,
      this.#window?.firstRev() ?? Infinity,
      this.#past.at(0)?.rev ?? Infinity,
      ...this.#gaps.map(({ rev }) => rev),
      ...[...this.#read].map(({ rev }) => rev),
    );
  }

  get #queues(): readonly EventQueue[] {
    return [this.#alarms, this.#plain, this.#acked, this.#ackedAlarms];
  }

  #takeAcked(queue: EventQueue, now: Instant): Gap | Uint8Array | undefined {
    if (this.#window?.room === false) return undefined;
    const gap = queue.takeGap();
    if (gap !== undefined) return gap;
    const waiting = queue.takeEvent();
    if (waiting === undefined) return undefined;
    this.#keeper.window ??= new AckWindow();
    this.#keeper.window.sent(waiting.event, now.monoMs);
    return waiting.frame;
  }
}
