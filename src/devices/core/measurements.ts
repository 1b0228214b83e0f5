import type { AlarmEvent, Quality } from '../../contract/feed/index.ts';
import type { Value, Values } from '../../contract/index.ts';
import type { MessageDeclaration } from '../../protocol/index.ts';
import { Alarm, type WatchedField, watchedFields } from './alarms.ts';
import { shareOld, valueAt } from './state-value.ts';

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
  /** Its published quality; undefined: good, or not judged. */
  quality: Quality | undefined;
}

const NO_EVENTS: readonly AlarmEvent[] = [];

/** One message whose values are kept. */
interface Kept {
  readonly name: string;
  /** The name under which its values stand in the state, beside those of other messages with the same. */
  readonly into: string;
  readonly everyMs: number | undefined;
  readonly watches: readonly Watch[];
  values: Values | undefined;
  /** Monotonic ms; infinite where nothing is expected, or its values are stale already. */
  staleAt: number;
  stale: boolean;
}

/** A poll, as far as it says where the values of its reply belong. */
export interface PolledGroup {
  readonly message: string;
  readonly as?: string;
}

/** The messages once more, under the names of the groups that have others. */
function groupsOf(
  declarations: readonly MessageDeclaration[],
  polls: readonly PolledGroup[],
): MessageDeclaration[] {
  const groups = new Map<string, MessageDeclaration>();
  for (const { message, as: name } of polls) {
    const declaration = declarations.find((each) => each.name === message);
    if (name === undefined || name === message || declaration === undefined) continue;
    groups.set(name, { ...declaration, name, into: undefined });
  }
  return [...groups.values()];
}

/** The decoded values of one device, by message; each is as old as the last message of its name. */
export class Measurements {
  /** A device has few messages, and says most of all what it said before. */
  readonly #kept: readonly Kept[];
  #recent: Kept | undefined;
  /** Messages whose values stand together in the state, by the names of those that share their place. */
  readonly #beside = new Map<string, readonly Kept[]>();
  /** Those of which a limit holds only after a while. */
  readonly #delayed: ReadonlyArray<{ readonly kept: Kept; readonly watch: Watch }>;
  #measured: Measured = { values: {}, quality: {} };

  /** `polls` whose replies have groups of their own. */
  constructor(declarations: readonly MessageDeclaration[], polls: readonly PolledGroup[] = []) {
    this.#kept = [...declarations, ...groupsOf(declarations, polls)].flatMap(keptOf);
    const shared = new Map<string, Kept[]>();
    for (const kept of this.#kept) shared.set(kept.into, [...(shared.get(kept.into) ?? []), kept]);
    for (const kept of shared.values()) {
      if (kept.length === 1) continue;
      for (const { name } of kept) this.#beside.set(name, kept);
    }
    this.#delayed = this.#kept.flatMap((kept) =>
      kept.watches
        .filter(({ field }) => field.limits.some(({ forMs }) => forMs > 0))
        .map((watch) => ({ kept, watch })),
    );
  }

  get measured(): Measured {
    return this.#measured;
  }

  /** Takes over the fields of one message; returns the limits that were crossed. `now` in monotonic ms. */
  update(message: string, fields: Values, now: number): readonly AlarmEvent[] {
    const kept =
      this.#recent?.name === message ? this.#recent : this.#kept.find(({ name }) => name === message);
    this.#recent = kept;
    // A status that a reply carries is no value of the device.
    if (kept === undefined) return NO_EVENTS;
    const before = kept.values;
    if (before === undefined && Object.keys(fields).length === 0) return NO_EVENTS;
    // What was before lasted until now.
    let events = this.#expireAlarms(now);
    const values = shareOld(before, fields);
    let requalify = kept.stale || events.length > 0;
    kept.stale = false;
    kept.staleAt =
      kept.everyMs === undefined ? Number.POSITIVE_INFINITY : now + kept.everyMs * OVERDUE_FACTOR;
    if (values !== before) {
      kept.values = values;
      const all: Record<string, Value | undefined> = { ...this.#measured.values };
      all[kept.into] = this.#together(kept, values);
      this.#measured = { values: all, quality: this.#measured.quality };
    }
    for (const watch of kept.watches) {
      const value = valueAt(values, watch.field.path);
      const event = watch.alarm.see(value, now);
      if (event !== undefined) events = [...events, event];
      const quality = qualityOf(watch, value);
      requalify ||= quality !== watch.quality;
      watch.quality = quality;
    }
    if (requalify) this.#requalify();
    return events;
  }

  /** Under which name the values of a message stand in the state; undefined where they are not kept. */
  placeOf(message: string): string | undefined {
    const kept =
      this.#recent?.name === message ? this.#recent : this.#kept.find(({ name }) => name === message);
    return kept?.into;
  }

  /** The values of a message, and of those beside it. */
  #together({ name }: Kept, values: Values): Values {
    const beside = this.#beside.get(name);
    return beside === undefined ? values : Object.assign({}, ...beside.map((each) => each.values));
  }

  /** Nothing that is known is fresh any more. */
  markStale(): void {
    for (const kept of this.#kept) {
      age(kept);
      kept.stale = kept.values !== undefined;
    }
    this.#requalify();
  }

  /**
   * Marks what has not come for too long; returns the limits that have been exceeded, or kept, for long enough. So long
   * as the process did not run (`stalledMs`) nothing was asked for: that time does not count, at most one period of it.
   */
  expire(now: number, stalledMs = 0): readonly AlarmEvent[] {
    if (stalledMs > 0) {
      for (const kept of this.#kept)
        if (kept.staleAt <= now) kept.staleAt = now + Math.min(stalledMs, kept.everyMs ?? 0);
    }
    const events = this.#expireAlarms(now);
    let any = events.length > 0;
    for (const kept of this.#kept) {
      if (kept.staleAt > now) continue;
      age(kept);
      any = true;
    }
    if (any) this.#requalify();
    return events;
  }

  nextDeadline(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { staleAt } of this.#kept) next = Math.min(next, staleAt);
    for (const { watch } of this.#delayed) next = Math.min(next, watch.alarm.nextDeadline());
    return next;
  }

  /** A value counts until another one comes, or it is stale. */
  #expireAlarms(now: number): readonly AlarmEvent[] {
    let events = NO_EVENTS;
    for (const { kept, watch } of this.#delayed) {
      const event = watch.alarm.expire(Math.min(now, kept.staleAt));
      if (event === undefined) continue;
      events = [...events, event];
      watch.quality = qualityOf(watch, kept.values && valueAt(kept.values, watch.field.path));
    }
    return events;
  }

  #requalify(): void {
    const quality: Record<string, Quality> = {};
    for (const kept of this.#kept) {
      if (kept.values === undefined) continue;
      const { into, values, stale } = kept;
      for (const { field, quality: own } of kept.watches) {
        // What is stale is so with all its parts, whatever was known of them.
        const covered = stale && Object.hasOwn(values, field.path[0] ?? '');
        if (own !== undefined && !covered) quality[field.name] = own;
      }
      if (stale) for (const field of Object.keys(values)) quality[`${into}.${field}`] = 'stale';
    }
    const before = this.#measured.quality;
    const keys = Object.keys(quality);
    const same =
      keys.length === Object.keys(before).length && keys.every((key) => before[key] === quality[key]);
    if (!same) this.#measured = { ...this.#measured, quality };
  }
}

function keptOf(declaration: MessageDeclaration): Kept[] {
  const { name, everyMs, into = name } = declaration;
  if (into === false) return [];
  const watches = watchedFields({ ...declaration, name: into }).map((field) => ({
    field,
    alarm: new Alarm(into, field),
    quality: undefined,
  }));
  return [
    { name, into, everyMs, watches, values: undefined, staleAt: Number.POSITIVE_INFINITY, stale: false },
  ];
}

function age(kept: Kept): void {
  kept.staleAt = Number.POSITIVE_INFINITY;
  kept.stale = true;
  for (const { alarm } of kept.watches) alarm.markStale();
}

/** A value that is absent only because its raw value says so is invalid; others are as good as their limits say. */
function qualityOf({ field, alarm }: Watch, value: unknown): Quality | undefined {
  if (value === undefined) return field.tellsInvalid ? 'invalid' : undefined;
  return alarm.level === 'good' ? undefined : alarm.level;
}
