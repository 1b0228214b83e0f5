import { type Direction, isWorse, type Judgement, judge, type Level, type WatchedField } from './limits.ts';

/** A value crossed a limit, or came back; an event of `devices/<id>/alarms`. */
export type AlarmEvent = {
  /** Of the declared message, and of the field within it. */
  readonly message: string;
  readonly field: string;
  /** Where it stands now. */
  readonly level: Level;
  /** Where it stood before. */
  readonly previous: Level;
  /** It is within all limits again. */
  readonly cleared: boolean;
  readonly value: number;
  readonly unit?: string;
  /** The limit that is exceeded; of a cleared alarm, the one that was. */
  readonly limit: number;
  readonly direction: Direction;
  /** Of an array: the element that is worst, from 0. */
  readonly index?: number;
};

interface Worst {
  readonly judgement: Judgement;
  readonly value: number;
  readonly index: number;
}

/**
 * Watches the values of one field against its limits, and tells every change of level or side once. A value that is
 * absent changes nothing: what stood before stands until the next one.
 */
export class Alarm {
  readonly #message: string;
  readonly #field: WatchedField;
  #now: Judgement = { level: 'good' };

  constructor(message: string, field: WatchedField) {
    this.#message = message;
    this.#field = field;
  }

  get level(): Level {
    return this.#now.level;
  }

  /** The field's new value, as decoded. */
  see(value: unknown): AlarmEvent | undefined {
    if (this.#field.many) {
      const worst = this.#worst(value);
      return worst === undefined ? undefined : this.#judged(worst.judgement, worst.value, worst.index);
    }
    const number = numberOf(value);
    return number === undefined ? undefined : this.#judged(judge(this.#field, number), number);
  }

  #judged(judgement: Judgement, value: number, index?: number): AlarmEvent | undefined {
    const before = this.#now;
    this.#now = judgement;
    if (before.level === judgement.level && before.crossed?.direction === judgement.crossed?.direction)
      return undefined;
    const crossed = judgement.crossed ?? before.crossed;
    if (crossed === undefined) return undefined;
    const { path, unit } = this.#field;
    return {
      message: this.#message,
      field: path.join('.'),
      level: judgement.level,
      previous: before.level,
      cleared: judgement.level === 'good',
      value,
      ...(unit === undefined ? {} : { unit }),
      limit: crossed.limit,
      direction: crossed.direction,
      ...(index === undefined ? {} : { index }),
    };
  }

  #worst(value: unknown): Worst | undefined {
    if (!Array.isArray(value)) return undefined;
    let worst: Worst | undefined;
    for (const [index, each] of value.entries()) {
      const number = numberOf(each);
      if (number === undefined) continue;
      const judgement = judge(this.#field, number);
      if (worst === undefined || isWorse(judgement.level, worst.judgement.level)) {
        worst = { judgement, value: number, index };
      }
    }
    return worst;
  }
}

/** Only numbers have limits, and those beyond 2^53 are decimal text. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'string') return Number(value);
  return typeof value === 'number' ? value : undefined;
}
