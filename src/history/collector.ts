import type { Batch, HistoryEvent, SeriesName, SeriesType } from './batch.ts';

/** Rows at which a batch is full; there are few of them a second, because each costs a write to the disk. */
const FULL = 4_096;
const LEAST = 64;

/** Gathers what is to be written: numbers into columns that are handed to the thread as they are. */
export class Collector {
  readonly #full: () => void;
  #names: SeriesName[] = [];
  #capacity = LEAST;
  #sids = new Int32Array(LEAST);
  #times = new Float64Array(LEAST);
  #values = new Float64Array(LEAST);
  #length = 0;
  #texts: Array<readonly [number, number, string]> = [];
  #marks: Array<readonly [number, number, string]> = [];
  #events: HistoryEvent[] = [];
  #over: number[] = [];
  #lastSid = 0;

  /** `full`: the batch is to be taken now. */
  constructor(full: () => void) {
    this.#full = full;
  }

  /** Rows that wait. */
  get size(): number {
    return this.#length + this.#texts.length + this.#marks.length + this.#events.length;
  }

  get empty(): boolean {
    return this.size === 0 && this.#over.length === 0 && this.#names.length === 0;
  }

  /** A number for a series from now on. */
  series(device: string, field: string, unit: string, type: SeriesType): number {
    const sid = ++this.#lastSid;
    this.#names.push({ sid, device, field, unit, type });
    return sid;
  }

  value(sid: number, t: number, value: number): void {
    const index = this.#length;
    if (index === this.#capacity) this.#grow();
    this.#sids[index] = sid;
    this.#times[index] = t;
    this.#values[index] = value;
    this.#length = index + 1;
    if (this.#length >= FULL) this.#full();
  }

  text(sid: number, t: number, text: string): void {
    this.#texts.push([sid, t, text]);
    if (this.size >= FULL) this.#full();
  }

  mark(sid: number, t: number, reason: string): void {
    this.#marks.push([sid, t, reason]);
    if (this.size >= FULL) this.#full();
  }

  event(event: HistoryEvent): void {
    this.#events.push(event);
    if (this.size >= FULL) this.#full();
  }

  over(sids: readonly number[]): void {
    this.#over.push(...sids);
  }

  /** All that waits, and the buffers to hand over with it. */
  take(at: number): { readonly batch: Batch; readonly transfer: readonly ArrayBuffer[] } {
    const length = this.#length;
    const sids = this.#sids.slice(0, length);
    const times = this.#times.slice(0, length);
    const values = this.#values.slice(0, length);
    const batch: Batch = {
      at,
      names: this.#names,
      sids,
      times,
      values,
      texts: this.#texts,
      marks: this.#marks,
      events: this.#events,
      over: this.#over,
    };
    this.#names = [];
    this.#texts = [];
    this.#marks = [];
    this.#events = [];
    this.#over = [];
    this.#length = 0;
    return { batch, transfer: [sids.buffer, times.buffer, values.buffer] };
  }

  #grow(): void {
    const larger = this.#capacity * 2;
    const grown = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#sids = grown(this.#sids, new Int32Array(larger));
    this.#times = grown(this.#times, new Float64Array(larger));
    this.#values = grown(this.#values, new Float64Array(larger));
    this.#capacity = larger;
  }
}
