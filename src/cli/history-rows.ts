import { isJsonObject, type JsonObject } from '../contract/wire/index.ts';
import type { BridgeApi } from './bridge-http.ts';
import type { Cell, ValueColumn, ValueRow } from './value-table.ts';

/** The fields that the history has of a device. @throws HeartwireError as `BridgeApi.get` */
export async function columnsOf(api: BridgeApi, device: string): Promise<ValueColumn[]> {
  const { devices } = await api.get('/api/history/devices', { device });
  const [found] = Array.isArray(devices) ? devices : [];
  const fields = isJsonObject(found) && Array.isArray(found.fields) ? found.fields : [];
  return fields.filter(isJsonObject).map(({ field, unit, type }) => ({
    field: String(field),
    unit: typeof unit === 'string' ? unit : undefined,
    type: type === 'text' || type === 'boolean' ? type : 'number',
  }));
}

/** Which part of the history is read. */
export interface HistorySpan {
  readonly device: string;
  readonly from: string | undefined;
  readonly until: string | undefined;
}

/**
 * The values of several fields, moment by moment; what came in one message stands in one row. Only one part of each field
 * is in memory.
 */
export async function* historyRows(
  api: BridgeApi,
  span: HistorySpan,
  columns: readonly ValueColumn[],
): AsyncGenerator<ValueRow, void> {
  let whole = span;
  const readers: FieldReader[] = [];
  for (const column of columns) {
    const reader = new FieldReader(api, whole, column);
    readers.push(reader);
    await reader.fill();
    // All fields end where the first one does, however long reading takes.
    whole = reader.span;
  }
  for (;;) {
    let t = Number.POSITIVE_INFINITY;
    for (const reader of readers) t = Math.min(t, reader.t);
    if (t === Number.POSITIVE_INFINITY) return;
    yield { t, cells: readers.map((reader) => (reader.t === t ? reader.take() : undefined)) };
    for (const reader of readers) if (reader.empty) await reader.fill();
  }
}

/** The values of one field, in parts. */
class FieldReader {
  readonly #api: BridgeApi;
  #span: HistorySpan;
  readonly #column: ValueColumn;
  #points: readonly (readonly [number, Cell])[] = [];
  #index = 0;
  #from: string | undefined;
  #done = false;

  constructor(api: BridgeApi, span: HistorySpan, column: ValueColumn) {
    this.#api = api;
    this.#span = span;
    this.#column = column;
    this.#from = span.from;
  }

  get empty(): boolean {
    return this.#index >= this.#points.length && !this.#done;
  }

  /** What is read, by now in numbers. */
  get span(): HistorySpan {
    return this.#span;
  }

  /** The moment of the next value; infinite where none follows. */
  get t(): number {
    return this.#points[this.#index]?.[0] ?? Number.POSITIVE_INFINITY;
  }

  take(): Cell {
    return this.#points[this.#index++]?.[1];
  }

  /** Reads until there is a value, or none follows. */
  async fill(): Promise<void> {
    while (this.empty) {
      const query = {
        device: this.#span.device,
        field: this.#column.field,
        from: this.#from,
        to: this.#span.until,
      };
      const answer = await this.#api.get('/api/history/values', { ...query, points: 'all' });
      this.#points = pointsIn(answer, this.#column);
      this.#index = 0;
      const { next, from, to } = answer;
      if (this.#from === this.#span.from)
        this.#span = { ...this.#span, from: String(from), until: String(to) };
      this.#done = typeof next !== 'number';
      this.#from = String(next);
    }
  }
}

function pointsIn({ points, from }: JsonObject, { type }: ValueColumn): readonly (readonly [number, Cell])[] {
  if (!Array.isArray(points)) return [];
  return points.flatMap((point): (readonly [number, Cell])[] => {
    const [t, , , last] = Array.isArray(point) ? point : [];
    if (typeof t !== 'number') return [];
    if (type === 'boolean') return [[t, last === 1]];
    // A text that was there before is so from the beginning on.
    if (typeof last === 'string') return [[typeof from === 'number' ? Math.max(t, from) : t, last]];
    return typeof last === 'number' ? [[t, last]] : [];
  });
}
