import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type {
  DeclaredProtocol,
  Inspected,
  PlacedField,
  TraceEvent,
  TraceHead,
} from '../../../src/inspection/browser.ts';
import { type Filter, matches, NO_FILTER } from './filter.ts';

/** Of a live link so many entries are kept; the oldest make room in blocks. */
export const MOST_LIVE = 20_000;
const BLOCK = 2_000;

/** Everything that was seen of a link or a file, and what of it is shown. */
export class Record {
  readonly head = signal<TraceHead>({ startMs: 0, meta: {} });
  readonly filter = signal<Filter>(NO_FILTER);
  /** Number of the chosen entry, counted from the first one ever. */
  readonly chosen = signal<number | undefined>(undefined);
  /** Goes on when entries come or go. */
  readonly version = signal(0);
  /** Sentences about what was left out or assumed. */
  readonly warnings = signal<readonly string[]>([]);
  protocol: DeclaredProtocol | undefined;
  fields: (item: Inspected) => readonly PlacedField[] = () => [];
  /** The chunks as they came, for saving. */
  events: TraceEvent[] = [];
  #items: Inspected[] = [];
  /** Entries that made room. */
  #dropped = 0;
  #shown: number[] = [];
  #looked = 0;
  #shownBy: Filter = NO_FILTER;

  /** The numbers of the entries that the filter lets through. */
  readonly shown: ReadonlySignal<readonly number[]> = computed(() => {
    void this.version.value;
    return this.#matching(this.filter.value);
  });

  get first(): number {
    return this.#dropped;
  }

  get end(): number {
    return this.#dropped + this.#items.length;
  }

  item(number: number | undefined): Inspected | undefined {
    return number === undefined ? undefined : this.#items[number - this.#dropped];
  }

  clear(): void {
    this.#dropped = 0;
    this.#items = [];
    this.events = [];
    this.#restart();
    this.chosen.value = undefined;
    this.warnings.value = [];
    this.version.value = this.version.peek() + 1;
  }

  add(items: readonly Inspected[], bounded: boolean): void {
    if (items.length === 0) return;
    for (const item of items) this.#items.push(item);
    if (bounded && this.#items.length > MOST_LIVE + BLOCK) this.#makeRoom();
    this.version.value = this.version.peek() + 1;
  }

  /** Another reading of the same bytes. */
  replace(items: readonly Inspected[]): void {
    this.#items = [...items];
    this.#dropped = 0;
    this.#restart();
    this.version.value = this.version.peek() + 1;
  }

  #makeRoom(): void {
    const over = this.#items.length - MOST_LIVE;
    const oldest = this.#items[over]?.atUs ?? 0;
    this.#items.splice(0, over);
    this.#dropped += over;
    const from = this.events.findIndex(({ atUs }) => atUs >= oldest);
    if (from > 0) this.events.splice(0, from);
    this.#restart();
  }

  #restart(): void {
    this.#shown = [];
    this.#looked = this.#dropped;
  }

  #matching(filter: Filter): readonly number[] {
    if (filter !== this.#shownBy) {
      this.#shownBy = filter;
      this.#restart();
    }
    const shown = this.#looked === this.#dropped ? [] : [...this.#shown];
    for (; this.#looked < this.end; this.#looked++) {
      const item = this.item(this.#looked);
      if (item !== undefined && matches(item, filter)) shown.push(this.#looked);
    }
    this.#shown = shown;
    return shown;
  }
}
