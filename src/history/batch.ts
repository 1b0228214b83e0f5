/** One field of one device, as values refer to it by `sid`. */
export interface SeriesName {
  readonly sid: number;
  readonly device: string;
  /** Group and field, with dots, as in the state of the device. */
  readonly field: string;
  /** Empty where none is declared. */
  readonly unit: string;
  readonly type: SeriesType;
}

export type SeriesType = 'number' | 'boolean' | 'text';

export type EventKind = 'status' | 'link' | 'alarm' | 'command' | 'bridge';

/** Something that happened, as it is kept. */
export interface HistoryEvent {
  /** Epoch ms. */
  readonly t: number;
  /** Empty: of the bridge itself. */
  readonly device: string;
  readonly kind: EventKind;
  /** As an event of the feed, where it was one. */
  readonly feed?: { readonly epoch: string; readonly rev: number; readonly seq: number } | undefined;
  /** JSON. */
  readonly data: string;
}

/** What is written in one transaction. The three columns have the same length. */
export interface Batch {
  /** Epoch ms: the bridge ran until then. */
  readonly at: number;
  readonly names: readonly SeriesName[];
  readonly sids: Int32Array;
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly texts: readonly (readonly [sid: number, t: number, text: string])[];
  /** From then on there is no value, and why. */
  readonly marks: readonly (readonly [sid: number, t: number, reason: string])[];
  readonly events: readonly HistoryEvent[];
  /** Series that are not written to any more. */
  readonly over: readonly number[];
}

/** Rows that a batch holds. */
export const sizeOf = ({ sids, texts, marks, events }: Batch): number =>
  sids.length + texts.length + marks.length + events.length;

const HEAD = 4;
const ROW = 4 + 8 + 8;

/** Rows of the journal as bytes: how many as u32, then all series as i32, all times and all values as f64, little-endian. */
export function encodeRows(series: Int32Array, times: Float64Array, values: Float64Array): Uint8Array {
  const n = series.length;
  const bytes = new Uint8Array(HEAD + n * ROW);
  new DataView(bytes.buffer).setUint32(0, n, true);
  // Every machine that Node runs on keeps numbers so.
  bytes.set(new Uint8Array(series.buffer, series.byteOffset, n * 4), HEAD);
  bytes.set(new Uint8Array(times.buffer, times.byteOffset, n * 8), HEAD + n * 4);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, n * 8), HEAD + n * 12);
  return bytes;
}

/** Calls with every row; false where the bytes are no rows. */
export function decodeRows(
  bytes: Uint8Array,
  row: (series: number, t: number, value: number) => void,
): boolean {
  if (bytes.length < HEAD) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const n = view.getUint32(0, true);
  if (bytes.length !== HEAD + n * ROW) return false;
  for (let index = 0; index < n; index++) {
    const t = view.getFloat64(HEAD + n * 4 + index * 8, true);
    row(view.getInt32(HEAD + index * 4, true), t, view.getFloat64(HEAD + n * 12 + index * 8, true));
  }
  return true;
}
