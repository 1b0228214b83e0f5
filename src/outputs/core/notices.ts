/** Something for people to know, as it is now. */
export interface Notice {
  readonly event: 'offline' | 'online' | 'alarm' | 'incident' | 'test';
  readonly device: string;
  /** What it is about, within the device: `status`, or the field of an alarm. */
  readonly subject: string;
  /** The word for how it is: a status, or the level of an alarm. */
  readonly word: string;
  /** Since when, in ms since the epoch. */
  readonly at: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface NoticeRules {
  readonly on: ReadonlySet<Notice['event']>;
  /** How long something must stay so before it is told, in ms. */
  readonly forMs: number;
  /** Minutes of the local day between which nothing is told; it may go past midnight. */
  readonly quiet?: readonly [from: number, to: number] | undefined;
  /** Minutes since local midnight. */
  minuteOfDay(wallMs: number): number;
}

interface Pending {
  readonly notice: Notice;
  readonly dueMs: number;
}

const MINUTE = 60_000;
const DAY_MINUTES = 24 * 60;
/** Subjects that are known at once; the one that is longest unchanged is forgotten first. */
const MAX_SUBJECTS = 20_000;

/**
 * What is told, and when: a device that goes away and comes back within `forMs` is no notice, and nor is one that does so
 * a hundred times. What changed in quiet hours is told once at their end, as it is then.
 */
export class Notices {
  readonly #rules: NoticeRules;
  /** The word that was told last, by subject. */
  readonly #told = new Map<string, string>();
  /** What is otherwise now and was not told yet, by subject. */
  readonly #pending = new Map<string, Pending>();

  constructor(rules: NoticeRules) {
    this.#rules = rules;
  }

  /** Something is as the notice says from now on. `usual`: it is no news as long as nothing else was told. */
  note(notice: Notice, usual: boolean, now: { readonly monoMs: number }): void {
    const key = `${notice.device}\n${notice.subject}`;
    const told = this.#told.get(key) ?? (usual ? notice.word : '');
    if (notice.word === told) {
      this.#pending.delete(key);
      this.#tell(key, told);
    } else if (this.#pending.get(key)?.notice.word !== notice.word) {
      // An incident is over when it is known of.
      const waitMs = notice.event === 'incident' ? 0 : this.#rules.forMs;
      this.#pending.set(key, { notice, dueMs: now.monoMs + waitMs });
    }
  }

  /** The notices whose time has come. */
  take(now: { readonly monoMs: number; readonly wallMs: number }): readonly Notice[] {
    const due: Notice[] = [];
    const quietMs = this.#quietMs(now.wallMs);
    for (const [key, pending] of this.#pending) {
      if (pending.dueMs > now.monoMs) continue;
      if (quietMs > 0) {
        this.#pending.set(key, { ...pending, dueMs: now.monoMs + quietMs });
        continue;
      }
      this.#pending.delete(key);
      this.#tell(key, pending.notice.word);
      if (this.#rules.on.has(pending.notice.event)) due.push(pending.notice);
    }
    return due;
  }

  nextDeadline(): number {
    let next = Infinity;
    for (const { dueMs } of this.#pending.values()) next = Math.min(next, dueMs);
    return next;
  }

  /** A device is gone from the configuration. */
  forget(device: string): void {
    for (const known of [this.#told, this.#pending])
      for (const key of known.keys()) if (key.startsWith(`${device}\n`)) known.delete(key);
  }

  #tell(key: string, word: string): void {
    if (this.#told.get(key) === word) return;
    this.#told.delete(key);
    this.#told.set(key, word);
    const [oldest] = this.#told.keys();
    if (this.#told.size > MAX_SUBJECTS && oldest !== undefined) this.#told.delete(oldest);
  }

  /** How long the quiet hours go on, in ms; 0 where it is not quiet. */
  #quietMs(wallMs: number): number {
    const { quiet, minuteOfDay } = this.#rules;
    if (quiet === undefined) return 0;
    const [from, to] = quiet;
    const minute = minuteOfDay(wallMs);
    const isQuiet = from <= to ? minute >= from && minute < to : minute >= from || minute < to;
    return isQuiet ? ((to - minute + DAY_MINUTES) % DAY_MINUTES) * MINUTE : 0;
  }
}
