import type { SessionSettings } from '../../config/index.ts';

/** What silence says of a peer. */
export type Verdict = 'fresh' | 'stale' | 'silent';

const SILENT_GRACE_MS = 1_000;

/** One link's heartbeat: when to beat, and what the peer's silence means. Instants are monotonic ms. */
export class Life {
  readonly #intervalMs: number;
  readonly #staleAfterMs: number;
  readonly #silentAfterMs: number;
  /** The last valid frame, whatever it was; the opening of the link until then. */
  #lastValidAt: number;
  #judged: Verdict = 'fresh';
  #nextBeatAt = Number.POSITIVE_INFINITY;
  /** When the unanswered beats were sent, oldest first. */
  #out: number[] = [];

  constructor(heartbeat: SessionSettings['heartbeat'], now: number) {
    this.#intervalMs = heartbeat.intervalMs;
    this.#staleAfterMs = heartbeat.intervalMs * 1.5;
    this.#silentAfterMs = heartbeat.intervalMs * heartbeat.missed + SILENT_GRACE_MS;
    this.#lastValidAt = now;
  }

  get lastValidAt(): number {
    return this.#lastValidAt;
  }

  get beatsOut(): number {
    return this.#out.length;
  }

  received(now: number): void {
    this.#lastValidAt = now;
    this.#judged = 'fresh';
  }

  /** The process did not run for so long: that time does not count as the peer's silence. */
  excuse(stalledMs: number, now: number): void {
    this.#lastValidAt = Math.min(this.#lastValidAt + stalledMs, now);
  }

  /** What the silence means now; the next deadline is that of the next verdict. */
  judge(now: number): Verdict {
    const silenceMs = now - this.#lastValidAt;
    if (silenceMs > this.#silentAfterMs) this.#judged = 'silent';
    else this.#judged = silenceMs > this.#staleAfterMs ? 'stale' : 'fresh';
    return this.#judged;
  }

  /** The first beat is due now; a beat that is sent without this is a single one. */
  beginBeating(now: number): void {
    this.#nextBeatAt = Math.min(this.#nextBeatAt, now);
  }

  beatDue(now: number): boolean {
    return now >= this.#nextBeatAt;
  }

  beatSent(now: number): void {
    // Keeps the cadence; a beat that was far too late does not make the next ones crowd.
    if (this.#nextBeatAt !== Number.POSITIVE_INFINITY) {
      const onCadence = this.#nextBeatAt + this.#intervalMs;
      this.#nextBeatAt =
        onCadence > now ? Math.min(onCadence, now + this.#intervalMs) : now + this.#intervalMs;
    }
    this.#out = this.#out.filter((sentAt) => now - sentAt <= this.#silentAfterMs);
    this.#out.push(now);
  }

  /** The round trip in ms where the reply can only belong to one beat; `unsolicited` where none was out. */
  beatAnswered(now: number): number | 'ambiguous' | 'unsolicited' {
    const sentAt = this.#out.shift();
    if (sentAt === undefined) return 'unsolicited';
    return this.#out.length === 0 ? now - sentAt : 'ambiguous';
  }

  /** When something is to be done or judged next. */
  nextDeadline(): number {
    // With one missed beat it may be silent before it is stale.
    const untilStale = this.#judged === 'fresh' ? this.#staleAfterMs : Number.POSITIVE_INFINITY;
    const nextVerdict = Math.min(untilStale, this.#silentAfterMs);
    // One ms past the limit, because silence is judged by "more than".
    return Math.min(this.#nextBeatAt, this.#lastValidAt + nextVerdict + 1);
  }
}
