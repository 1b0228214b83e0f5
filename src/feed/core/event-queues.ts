import { isAlarms } from '../../contract/feed/topic.ts';
import type { Instant } from '../../instant.ts';
import { type AckKeeper, AckWindow } from './ack-window.ts';
import type { Encoder } from './encoder.ts';
import { EventBacklog } from './event-backlog.ts';
import type { Gap, PastEvent } from './event-log.ts';
import type { FeedTally } from './feed-tally.ts';

/** What a reference to an event costs in memory, roughly. */
const REFERENCE_BYTES = 16;

/**
 * Events that wait for one subscriber. Past ones come before new ones; alarms before other new ones; those that want
 * to be acknowledged wait by themselves, because nobody else shall wait for an acknowledgement.
 */
export class EventQueues {
  readonly #encoder: Encoder;
  #keeper: AckKeeper;
  #gaps: Gap[] = [];
  #past: PastEvent[] = [];
  #pastHead = 0;
  readonly #alarms: EventBacklog;
  readonly #plain: EventBacklog;
  readonly #acked: EventBacklog;
  readonly #ackedAlarms: EventBacklog;
  readonly #tally: FeedTally;

  constructor(encoder: Encoder, tally: FeedTally, keeper: AckKeeper) {
    this.#encoder = encoder;
    this.#keeper = keeper;
    this.#tally = tally;
    this.#alarms = new EventBacklog(tally);
    this.#plain = new EventBacklog(tally);
    this.#acked = new EventBacklog(tally);
    this.#ackedAlarms = new EventBacklog(tally);
  }

  /** A session goes on here that has a window already. */
  resume(keeper: AckKeeper): void {
    this.#keeper = keeper;
  }

  get #window(): AckWindow | undefined {
    return this.#keeper.window;
  }

  /** Nothing waits that the shared stream must not overtake. */
  get empty(): boolean {
    return this.pastTold && this.#alarms.empty && this.#plain.empty;
  }

  /** Nothing waits, nor is anything out that wants to be acknowledged. */
  get idle(): boolean {
    const acked = this.#acked.empty && this.#ackedAlarms.empty;
    return this.empty && acked && (this.#window?.size ?? 0) === 0;
  }

  /** What happened while the subscriber was away is said, and what of it is lost. */
  get pastTold(): boolean {
    return this.#pastHead === this.#past.length && this.#gaps.length === 0;
  }

  get bytes(): number {
    const references = (this.#past.length - this.#pastHead) * REFERENCE_BYTES;
    return this.#backlogs.reduce((sum, { bytes }) => sum + bytes, references);
  }

  push(event: PastEvent, frame: Uint8Array): void {
    (isAlarms(event.topic) ? this.#alarms : this.#plain).push(event, frame);
  }

  pushAcked(event: PastEvent, now: Instant): void {
    (isAlarms(event.topic) ? this.#ackedAlarms : this.#acked).push(event, this.#encoder.acked(event, now));
  }

  /** What happened while the subscriber was away; those in the window are sent again anyway. */
  recover(
    gaps: readonly Gap[],
    events: readonly PastEvent[],
    acked: (topic: string) => boolean,
    now: Instant,
  ): void {
    this.#gaps.push(...gaps);
    // There may be very many already, and nothing to be added.
    if (events.length === 0) return;
    const past = this.#past.slice(this.#pastHead);
    for (const event of events) {
      if (!acked(event.topic)) past.push(event);
      else if (this.#window?.owes(event) !== true) this.pushAcked(event, now);
    }
    // What is recovered later may have happened earlier, and what is not said yet is found at the front.
    this.#past = past.sort((a, b) => a.rev - b.rev);
    this.#pastHead = 0;
    this.#acked.order();
    this.#ackedAlarms.order();
  }

  /** Alarms go first, but never before older ones. */
  takeAlarm(now: Instant): Gap | Uint8Array | undefined {
    if (!this.pastTold) return undefined;
    return (
      this.#alarms.takeGap() ?? this.#alarms.takeEvent()?.frame ?? this.#takeAcked(this.#ackedAlarms, now)
    );
  }

  /** `drained`: the outlet holds little, so that what was not acknowledged may be sent again. */
  take(drained: boolean, now: Instant): Gap | Uint8Array | undefined {
    const gap = this.#gaps.shift();
    if (gap !== undefined) return gap;
    const again = drained ? this.#window?.again(now.monoMs) : undefined;
    if (again !== undefined && !('reason' in again)) return this.#encoder.acked(again, now);
    if (again !== undefined) {
      this.#tally.droppedUnacked += 1;
      return again;
    }
    const past = this.#past[this.#pastHead];
    if (past !== undefined) {
      this.#pastHead++;
      return this.#encoder.past(past, now);
    }
    return this.#takeAcked(this.#acked, now) ?? this.#plain.takeGap() ?? this.#plain.takeEvent()?.frame;
  }

  retain(wanted: (topic: string) => boolean): void {
    this.#gaps = this.#gaps.filter(({ topic }) => wanted(topic));
    this.#past = this.#past.slice(this.#pastHead).filter(({ topic }) => wanted(topic));
    this.#pastHead = 0;
    this.#window?.retain(wanted);
    for (const backlog of this.#backlogs) backlog.retain(wanted);
  }

  /** The lowest `rev` that was not said yet, whether it waits or is lost. */
  firstRev(): number {
    const backlogs = this.#backlogs.map((each) => each.firstRev() ?? Infinity);
    return Math.min(
      ...backlogs,
      this.#window?.firstRev() ?? Infinity,
      this.#past[this.#pastHead]?.rev ?? Infinity,
      ...this.#gaps.map(({ rev }) => rev),
    );
  }

  get #backlogs(): readonly EventBacklog[] {
    return [this.#alarms, this.#plain, this.#acked, this.#ackedAlarms];
  }

  #takeAcked(backlog: EventBacklog, now: Instant): Gap | Uint8Array | undefined {
    if (this.#window?.room === false) return undefined;
    const gap = backlog.takeGap();
    if (gap !== undefined) return gap;
    const waiting = backlog.takeEvent();
    if (waiting === undefined) return undefined;
    this.#keeper.window ??= new AckWindow();
    this.#keeper.window.sent(waiting.event, now.monoMs);
    return waiting.frame;
  }
}
