import type { DocumentSource } from '../api/devices.ts';
import { type FieldHistory, type PastEvent, pastEvents, pastFields, pastValues } from '../api/history.ts';
import { isObject, type Json, type JsonObject, textOf } from '../api/json.ts';

/** How far back a status is looked for. */
const EVENTS_MS = 30 * 86_400_000;
const MOST_EVENTS = 10_000;
/** A value that is older than this at the moment counts as unknown. */
const VALUES_MS = 3_600_000;
const EVENT_KINDS = 'status,link,alarm';

/** What the past needs of the present: what people call devices, and what their values mean. */
export interface Present {
  document(topic: string): JsonObject | undefined;
  devices(): readonly string[];
}

/** Every device as it was at one moment, as far as the history knows. */
export class PastView implements DocumentSource {
  readonly at: number;
  readonly #present: Present;
  readonly #changed: () => void;
  readonly #abort = new AbortController();
  readonly #states = new Map<string, JsonObject>();
  readonly #wanted = new Map<string, number>();

  /** `changed`: something more is known. */
  constructor(at: number, present: Present, changed: () => void) {
    this.at = at;
    this.#present = present;
    this.#changed = changed;
  }

  /** @throws HttpError where there is no history */
  async load(): Promise<void> {
    const span = { from: this.at - EVENTS_MS, to: this.at + 1 };
    const events = await pastEvents({ ...span, kind: EVENT_KINDS, limit: MOST_EVENTS }, this.#abort.signal);
    for (const [device, state] of statesAt(events)) this.#states.set(device, state);
    this.#changed();
  }

  end(): void {
    this.#abort.abort();
  }

  *devices(): Generator<string> {
    yield* new Set([...this.#present.devices(), ...this.#states.keys()]);
  }

  document(topic: string): JsonObject | undefined {
    const [root, device = '', kind] = topic.split('/');
    if (root !== 'devices') return this.#present.document(topic);
    if (kind !== 'state') return undefined;
    const now = this.#present.document(topic);
    const then = this.#states.get(device);
    if (now === undefined && then === undefined) return undefined;
    // Its name, its group and what it speaks are those of now: the history has no others.
    const named = Object.fromEntries(
      ['label', 'group', 'declaration'].flatMap((key) => (now?.[key] === undefined ? [] : [[key, now[key]]])),
    );
    const known = then ?? { status: 'unknown', reason: 'not_in_history' };
    return { device, ...named, ...known };
  }

  /** The values of a device are wanted, at most so many. */
  want(device: string, most: number): void {
    if ((this.#wanted.get(device) ?? 0) >= most) return;
    this.#wanted.set(device, most);
    this.#loadValues(device, most).catch(() => undefined);
  }

  async #loadValues(device: string, most: number): Promise<void> {
    const { signal } = this.#abort;
    const fields = (await pastFields(device, signal)).slice(0, most);
    const span = { from: this.at - VALUES_MS, to: this.at + 1 };
    const found = await Promise.all(
      fields.map(async (field) => {
        const answer = await pastValues(device, field, span, 1, signal).catch(() => undefined);
        return [field, answer && valueAtMoment(answer, this.at)] as const;
      }),
    );
    const values = Object.fromEntries(found.filter(([, value]) => value !== undefined)) as Record<
      string,
      Json
    >;
    const state = this.#states.get(device) ?? { status: 'unknown', reason: 'not_in_history' };
    this.#states.set(device, { ...state, values });
    this.#changed();
  }
}

/** What a field held at a moment; undefined within a gap, and where nothing had come yet. */
export function valueAtMoment(
  { points, texts, gaps }: FieldHistory,
  at: number,
): number | string | undefined {
  if (gaps.some(({ from, to }) => from <= at && at < to)) return undefined;
  const text = texts.findLast(([t]) => t <= at)?.[1];
  return points.at(-1)?.last ?? text;
}

/** The state of each device after these events, the oldest first. */
export function statesAt(events: readonly PastEvent[]): ReadonlyMap<string, JsonObject> {
  const states = new Map<string, JsonObject>();
  for (const { at, device, kind, data } of events) {
    if (device === '') continue;
    const before = states.get(device) ?? { status: 'unknown' };
    states.set(device, stateAfter(before, kind, at, data));
  }
  return states;
}

function stateAfter(before: JsonObject, kind: string, at: number, data: JsonObject): JsonObject {
  const { status, reason, detail } = data;
  const why = { ...(reason === undefined ? {} : { reason }), ...(detail === undefined ? {} : { detail }) };
  if (kind === 'status') {
    const { reason: _, detail: __, ...rest } = before;
    return { ...rest, status: textOf(status), since: at, ...why };
  }
  if (kind === 'link') {
    const link = isObject(before.link) ? before.link : {};
    const { reason: _, detail: __, ...rest } = link;
    const { transport, address } = data;
    const where = {
      ...(transport === undefined ? {} : { transport }),
      ...(address === undefined ? {} : { address }),
    };
    return { ...before, link: { ...rest, ...where, status: textOf(status), since: at, ...why } };
  }
  const path = `${textOf(data.message)}.${textOf(data.field)}`;
  const { [path]: _, ...others } = isObject(before.quality) ? before.quality : {};
  const level = textOf(data.level);
  return {
    ...before,
    quality: level === 'warn' || level === 'alarm' ? { ...others, [path]: level } : others,
  };
}
