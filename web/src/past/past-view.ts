import type { DocumentSource } from '../api/devices.ts';
import { type PastField, pastEvents, pastFields, pastValues } from '../api/history.ts';
import { type Json, type JsonObject, objectOf } from '../api/json.ts';
import { flatten } from '../api/values.ts';
import { spanOfValue, statesAt, valueAtMoment } from './state-at.ts';

/** How far back a status is looked for. */
const EVENTS_MS = 30 * 86_400_000;
const MOST_EVENTS = 10_000;
const EVENT_KINDS = 'status,link,alarm,bridge';

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
    const order = [...flatten(objectOf(this.#present.document(`devices/${device}/state`)?.values))].map(
      ([path]) => path,
    );
    const rank = ({ field }: PastField): number => order.indexOf(field) + 1 || order.length + 1;
    const known = await pastFields(device, signal);
    const fields = [...known].sort((a, b) => rank(a) - rank(b)).slice(0, most);
    const found = await Promise.all(
      fields.map(async ({ field, isText }) => {
        const span = spanOfValue(this.at, isText);
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
