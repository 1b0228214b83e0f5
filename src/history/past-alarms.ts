import type { JsonObject } from '../contract/wire/index.ts';
import type { Instant } from '../instant.ts';
import type { Clock } from '../system/index.ts';
import type { History } from './history.ts';

/** A subscriber waits for what it missed no longer. */
const WITHIN_MS = 5_000;

/** A gap in the events of one topic. */
interface Gap {
  readonly topic: string;
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** An alarm as the feed sent it. */
interface PastAlarm {
  readonly kind: 'event';
  readonly id: string;
  readonly topic: string;
  readonly rev: number;
  readonly seq: number;
  readonly data: JsonObject;
}

/** The alarms of one run of the feed, for subscribers that come back after the feed has let go of them. */
export class PastAlarms {
  readonly #history: Pick<History, 'query'>;
  readonly #epoch: string;
  readonly #clock: Clock;

  constructor(history: Pick<History, 'query'>, epoch: string, clock: Clock) {
    this.#history = history;
    this.#epoch = epoch;
    this.#clock = clock;
  }

  keeps(topic: string): boolean {
    return /^devices\/[^/]+\/alarms$/.test(topic);
  }

  /** Calls once, later, with those of the gap that are there, in their order; with none where they cannot be read in time. */
  read(gap: Gap, done: (events: readonly PastAlarm[], now: Instant) => void): void {
    const clock = this.#clock;
    const { topic, fromSeq, toSeq } = gap;
    let waiting = true;
    const answered = (events: readonly PastAlarm[]): void => {
      if (!waiting) return;
      waiting = false;
      late.cancel();
      done(events, clock.now());
    };
    const late = clock.setTimer(clock.now().monoMs + WITHIN_MS, () => answered([]));
    const [, device = ''] = topic.split('/');
    void this.#history
      .query({ kind: 'past', device, epoch: this.#epoch, fromSeq, toSeq })
      .then((answer) => answered(answer.ok && answer.body !== undefined ? alarmsIn(answer.body, topic) : []));
  }
}

function alarmsIn(body: Uint8Array, topic: string): PastAlarm[] {
  // The thread made the text from what the feed sent.
  const { events } = JSON.parse(Buffer.from(body).toString('utf8')) as {
    readonly events: readonly Omit<PastAlarm, 'kind' | 'topic'>[];
  };
  return events.map((event) => ({ kind: 'event', topic, ...event }));
}
