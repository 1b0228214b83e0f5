import type { AlarmEvent, Direction, Level } from '../../contract/feed/index.ts';
import {
  type FieldDeclaration,
  fieldsWithin,
  holdsOf,
  type MessageDeclaration,
  marginOf,
  type Range,
} from '../../protocol/index.ts';

/** One declared field with limits, or with a raw value that says "no value". */
export interface WatchedField {
  /** From the message to the field, through structures. */
  readonly path: readonly string[];
  /** `message.field`, as in `quality`. */
  readonly name: string;
  readonly unit?: string;
  /** An array of numbers: its worst element counts. */
  readonly many: boolean;
  /** It is absent from a message only if its raw value says "no value". */
  readonly tellsInvalid: boolean;
  readonly limits: readonly Limit[];
}

/** One bound of a value, with the level that holds beyond it. */
interface Limit {
  readonly level: Exclude<Level, 'good'>;
  readonly limit: number;
  readonly direction: Direction;
  /** So far within the limit the value is good again. */
  readonly hysteresis: number;
  /** A value is beyond, or good again, once it has been so for so long. */
  readonly forMs: number;
}

/** The fields of a message that are watched; those of its reply where it answers with fields. */
export function watchedFields(message: MessageDeclaration): readonly WatchedField[] {
  const { reply } = message;
  const replied = typeof reply === 'object' ? reply.fields : [];
  return [...(message.fields ?? []), ...replied].flatMap((field) => watched(field, [message.name]));
}

function watched(field: FieldDeclaration, above: readonly string[]): WatchedField[] {
  const { name, type, of } = field;
  if (name === undefined) return [];
  const path = [...above, name];
  if (holdsOf(type) === 'group') return fieldsWithin(field).flatMap((each) => watched(each, path));
  const many = type === 'array';
  const { limits, unit, invalid } = many ? (of ?? field) : field;
  const tellsInvalid = !many && invalid !== undefined && field.when === undefined && field.optional !== true;
  if (limits === undefined && !tellsInvalid) return [];
  return [
    {
      path: path.slice(1),
      name: path.join('.'),
      many,
      tellsInvalid,
      ...(unit === undefined ? {} : { unit }),
      limits: limits === undefined ? [] : limitsOf(limits, unit),
    },
  ];
}

/** The worst first; below before above. */
function limitsOf(
  { warn, alarm, hysteresis, forMs = 0 }: NonNullable<FieldDeclaration['limits']>,
  unit: string | undefined,
): Limit[] {
  const around = { hysteresis: hysteresis === undefined ? 0 : marginOf(hysteresis, unit), forMs };
  const both = (level: Limit['level'], [least, greatest]: Range): Limit[] => [
    ...(least === null ? [] : [{ level, limit: least, direction: 'below' as const, ...around }]),
    ...(greatest === null ? [] : [{ level, limit: greatest, direction: 'above' as const, ...around }]),
  ];
  return [
    ...(alarm === undefined ? [] : both('alarm', alarm)),
    ...(warn === undefined ? [] : both('warn', warn)),
  ];
}

const NEVER = Number.POSITIVE_INFINITY;

/** The value that matters at a limit; of an array, the farthest to one side, with its index. */
interface Extreme {
  readonly value: number;
  readonly index?: number;
}

type Extremes = Readonly<Record<Direction, Extreme>>;

/**
 * One limit with a memory: exceeded once a value is beyond it, and until one is within it by the hysteresis. Either
 * holds once it has lasted for `forMs`; what lasts shorter is as if it had not been.
 *
 *   not exceeded --value beyond--> not exceeded, changes at now + for --that time--> exceeded
 *   exceeded --value within by the hysteresis--> exceeded, changes at now + for --that time--> not exceeded
 */
class Latch {
  readonly limit: Limit;
  exceeded = false;
  /** Monotonic ms. */
  changesAt = NEVER;

  constructor(limit: Limit) {
    this.limit = limit;
  }

  see(value: number, now: number): void {
    const wanted = this.exceeded ? !isBack(value, this.limit) : isBeyond(value, this.limit);
    if (wanted === this.exceeded) this.changesAt = NEVER;
    else if (this.changesAt === NEVER) this.changesAt = now + this.limit.forMs;
    this.expire(now);
  }

  expire(now: number): void {
    if (this.changesAt > now) return;
    this.exceeded = !this.exceeded;
    this.changesAt = NEVER;
  }
}

/**
 * Watches the values of one field against its limits, and reports every change of level or side once. A value that is
 * absent changes nothing: what stood before stands until the next one.
 */
export class Alarm {
  readonly #message: string;
  readonly #field: WatchedField;
  readonly #latches: readonly Latch[];
  /** The limit that the level comes from; absent where all is good. */
  #worst: Limit | undefined;
  /** The last one that was there, and its extremes. */
  #value: unknown;
  #extremes: Extremes | undefined;

  constructor(message: string, field: WatchedField) {
    this.#message = message;
    this.#field = field;
    this.#latches = field.limits.map((limit) => new Latch(limit));
  }

  get level(): Level {
    return this.#worst?.level ?? 'good';
  }

  /** The field's new value, as decoded, at a monotonic instant in ms. */
  see(value: unknown, now: number): AlarmEvent | undefined {
    const extremes = this.#field.many ? extremesOf(value) : alone(value);
    if (extremes === undefined) return undefined;
    this.#value = value;
    this.#extremes = extremes;
    for (const latch of this.#latches) latch.see(extremes[latch.limit.direction].value, now);
    return this.#change();
  }

  /** When `expire` is due, monotonic ms. */
  nextDeadline(): number {
    return this.#latches.reduce((next, { changesAt }) => Math.min(next, changesAt), NEVER);
  }

  /** What the last value said has lasted long enough. */
  expire(now: number): AlarmEvent | undefined {
    for (const latch of this.#latches) latch.expire(now);
    return this.#change();
  }

  /** The last value is too old to go on counting. */
  markStale(): void {
    for (const latch of this.#latches) latch.changesAt = NEVER;
  }

  #change(): AlarmEvent | undefined {
    const before = this.#worst;
    const worst = this.#worstNow(before);
    this.#worst = worst;
    const crossed = worst ?? before;
    if (before?.level === worst?.level && before?.direction === worst?.direction) return undefined;
    if (crossed === undefined || this.#extremes === undefined) return undefined;
    const { path, unit } = this.#field;
    const extreme = firstBeyond(this.#value, crossed) ?? this.#extremes[crossed.direction];
    return {
      message: this.#message,
      field: path.join('.'),
      level: this.level,
      previous: before?.level ?? 'good',
      cleared: worst === undefined,
      value: extreme.value,
      ...(unit === undefined ? {} : { unit }),
      limit: crossed.limit,
      direction: crossed.direction,
      ...(extreme.index === undefined ? {} : { index: extreme.index }),
    };
  }

  /** Of two sides that an array exceeds to the same level, the one reported before stays. */
  #worstNow(before: Limit | undefined): Limit | undefined {
    const exceeded = this.#latches.filter((latch) => latch.exceeded).map(({ limit }) => limit);
    const [first] = exceeded;
    return exceeded.find((limit) => limit === before && limit.level === first?.level) ?? first;
  }
}

/** The first element of an array that is beyond a limit. */
function firstBeyond(values: unknown, limit: Limit): Extreme | undefined {
  if (!Array.isArray(values)) return undefined;
  for (const [index, each] of values.entries()) {
    const value = numberOf(each);
    if (value !== undefined && isBeyond(value, limit)) return { value, index };
  }
  return undefined;
}

/** A value that stands on the limit is good. */
const isBeyond = (value: number, { limit, direction }: Limit): boolean =>
  direction === 'above' ? value > limit : value < limit;

/** Good again, after it was beyond. */
const isBack = (value: number, { limit, direction, hysteresis }: Limit): boolean =>
  direction === 'above' ? value <= limit - hysteresis : value >= limit + hysteresis;

function alone(value: unknown): Extremes | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : { below: { value: number }, above: { value: number } };
}

function extremesOf(values: unknown): Extremes | undefined {
  if (!Array.isArray(values)) return undefined;
  let below: Extreme | undefined;
  let above: Extreme | undefined;
  for (const [index, each] of values.entries()) {
    const value = numberOf(each);
    if (value === undefined) continue;
    if (below === undefined || value < below.value) below = { value, index };
    if (above === undefined || value > above.value) above = { value, index };
  }
  return below === undefined || above === undefined ? undefined : { below, above };
}

/** Only numbers have limits, and those beyond 2^53 are decimal text. */
function numberOf(value: unknown): number | undefined {
  if (typeof value === 'string') return Number(value);
  return typeof value === 'number' ? value : undefined;
}
