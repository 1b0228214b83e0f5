import type { MessageDeclaration } from '../protocol/declared/declaration.ts';
import type { Values } from '../protocol/declared/value.ts';
import { Alarm, type AlarmEvent } from './alarms.ts';
import { type WatchedField, watchedFields } from './limits.ts';
import { shareOld, valueAt } from './state-value.ts';

/** Of a value that is not simply good. */
export type Quality = 'warn' | 'alarm' | 'stale' | 'invalid';

/** Values by message and field, and what is to be known of them by `message.field`; parts that do not change stay the same objects. */
export interface Measured {
  readonly values: Values;
  readonly quality: Readonly<Record<string, Quality>>;
}

/** A message may be late by half its period before its values are stale. */
const OVERDUE_FACTOR = 1.5;

interface Watch {
  readonly field: WatchedField;
  readonly alarm: Alarm;
}

/** One message whose values are kept. */
interface Kept {
  readonly everyMs: number | undefined;
  readonly watches: readonly Watch[];
  values: Values | undefined;
  /** Monotonic ms; infinite where nothing is expected, or its values are stale already. */
  staleAt: number;
  stale: boolean;
}

/** The decoded values of one device, by message; each is as old as the last message of its name. */
export class Measurements {
  readonly #kept = new Map<string, Kept>();
  #measured: Measured = { values: {}, quality: {} };

  constructor(declarations: readonly MessageDeclaration[]) {
    for (const declaration of declarations) {
      const watches = watchedFields(declaration).map((field) => ({
        field,
        alarm: new Alarm(declaration.name, field),
      }));
      this.#kept.set(declaration.name, {
        everyMs: declaration.everyMs,
        watches,
        values: undefined,
        staleAt: Number.POSITIVE_INFINITY,
        stale: false,
      });
    }
  }

  get measured(): Measured {
    return this.#measured;
  }

  /** Takes over the fields of one message; tells which limits were crossed. `now` in monotonic ms. */
  update(message: string, fields: Values, now: number): readonly AlarmEvent[] {
    const kept = this.#kept.get(message);
    // A status that a reply carries is no value of the device.
    if (kept === undefined || (kept.values === undefined && Object.keys(fields).length === 0)) return [];
    const values = shareOld(kept.values, fields);
    kept.stale = false;
    kept.staleAt =
      kept.everyMs === undefined ? Number.POSITIVE_INFINITY : now + kept.everyMs * OVERDUE_FACTOR;
    if (values !== kept.values) {
      kept.values = values;
      this.#measured = { ...this.#measured, values: { ...this.#measured.values, [message]: values } };
    }
    const events: AlarmEvent[] = [];
    for (const { field, alarm } of kept.watches) {
      const event = alarm.see(valueAt(values, field.path));
      if (event !== undefined) events.push(event);
    }
    this.#requalify();
    return events;
  }

  /** Nothing that is known is fresh any more. */
  markStale(): void {
    for (const kept of this.#kept.values()) {
      kept.staleAt = Number.POSITIVE_INFINITY;
      if (kept.values !== undefined) kept.stale = true;
    }
    this.#requalify();
  }

  /** Marks what has not come for too long. */
  expire(now: number): void {
    let any = false;
    for (const kept of this.#kept.values()) {
      if (kept.staleAt > now) continue;
      kept.staleAt = Number.POSITIVE_INFINITY;
      kept.stale = true;
      any = true;
    }
    if (any) this.#requalify();
  }

  nextDeadline(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { staleAt } of this.#kept.values()) next = Math.min(next, staleAt);
    return next;
  }

  #requalify(): void {
    const quality: Record<string, Quality> = {};
    for (const [message, kept] of this.#kept) {
      if (kept.values === undefined) continue;
      for (const { field, alarm } of kept.watches) {
        const value = valueAt(kept.values, field.path);
        if (value === undefined) {
          if (field.tellsInvalid) quality[field.name] = 'invalid';
        } else if (alarm.level !== 'good') quality[field.name] = alarm.level;
      }
      if (!kept.stale || typeof kept.values !== 'object' || Array.isArray(kept.values)) continue;
      for (const field of Object.keys(kept.values)) quality[`${message}.${field}`] = 'stale';
    }
    const before = this.#measured.quality;
    const keys = Object.keys(quality);
    const same =
      keys.length === Object.keys(before).length && keys.every((key) => before[key] === quality[key]);
    if (!same) this.#measured = { ...this.#measured, quality };
  }
}
