import type { DeclaredProtocol } from '../protocol/index.ts';
import { formatExpectation, oneLine, type TraceEvent, type TraceHead, toHex } from '../trace/index.ts';
import { type FrameReading, FrameSplitter, frameReading, type TracedFrame } from './frames.ts';

/** One frame or event of a trace. */
export interface ExportRow {
  readonly atUs: number;
  readonly connection: string;
  readonly direction: 'in' | 'out' | undefined;
  /** A message's name, `discarded`, a word of the link's life, `note` or `expect`. */
  readonly what: string;
  readonly kind?: string;
  readonly error?: number;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly detail?: string;
  readonly bytes?: Uint8Array;
}

interface Splitters {
  readonly in: FrameSplitter;
  readonly out: FrameSplitter;
}

/** Turns the chunks of a trace into frames, in both directions; memory is that of one frame per connection. */
export class RowMaker {
  readonly #readings: Readonly<Record<'in' | 'out', FrameReading>>;
  readonly #connections = new Map<string, Splitters>();
  #lastUs = 0;

  /** `messages` are those of the device besides the built-in ones, or instead of them. */
  constructor(head: TraceHead, messages?: DeclaredProtocol) {
    this.#readings = {
      in: frameReading(head, messages, 'in'),
      out: frameReading(head, messages, 'out'),
    };
  }

  take({ atUs, connection, fact }: TraceEvent): ExportRow[] {
    this.#lastUs = atUs;
    const at = { atUs, connection };
    switch (fact.kind) {
      case 'in':
      case 'out': {
        const frames = this.#of(connection)[fact.kind].push(fact.bytes);
        return frames.map((frame) => frameRow(at, fact.kind, frame));
      }
      case 'life': {
        const row = { ...at, direction: undefined, what: fact.word, detail: fact.detail };
        if (fact.word === 'idle') return [row, ...this.#rows(at, (splitter) => splitter.idle())];
        if (fact.word !== 'close' && fact.word !== 'error') return [row];
        const rest = this.#rows(at, (splitter) => splitter.close());
        this.#connections.delete(connection);
        return [...rest, row];
      }
      case 'note':
        return [{ ...at, direction: undefined, what: 'note', detail: fact.text }];
      case 'expect':
        return [{ ...at, direction: undefined, what: 'expect', detail: formatExpectation(fact.expectation) }];
    }
  }

  /** The trace is over: what is left of frames. */
  finish(): ExportRow[] {
    const names = [...this.#connections.keys()];
    return names.flatMap((connection) =>
      this.#rows({ atUs: this.#lastUs, connection }, (each) => each.close()),
    );
  }

  #of(connection: string): Splitters {
    let known = this.#connections.get(connection);
    if (known === undefined) {
      known = { in: new FrameSplitter(this.#readings.in), out: new FrameSplitter(this.#readings.out) };
      this.#connections.set(connection, known);
    }
    return known;
  }

  #rows(
    at: { readonly atUs: number; readonly connection: string },
    ask: (splitter: FrameSplitter) => TracedFrame[],
  ): ExportRow[] {
    const known = this.#connections.get(at.connection);
    if (known === undefined) return [];
    return (['in', 'out'] as const).flatMap((direction) =>
      ask(known[direction]).map((frame) => frameRow(at, direction, frame)),
    );
  }
}

function frameRow(
  at: { readonly atUs: number; readonly connection: string },
  direction: 'in' | 'out',
  frame: TracedFrame,
): ExportRow {
  const { bytes } = frame;
  if (frame.kind === 'discarded') return { ...at, direction, what: 'discarded', detail: frame.reason, bytes };
  const { message } = frame;
  if (message.name === 'invalid') {
    const { field, offset, expected, seen } = message;
    const detail = `${field} at ${offset}: expected ${expected}, saw ${seen}`;
    return { ...at, direction, what: message.message, kind: 'invalid', detail, bytes };
  }
  return {
    ...at,
    direction,
    what: message.name === 'declared' ? message.message : message.name,
    kind: message.kind,
    ...('error' in message && message.error !== undefined ? { error: message.error } : {}),
    ...('fields' in message ? { fields: { ...message.fields } } : {}),
    bytes,
  };
}

/** The first line of a CSV file. */
export const CSV_HEAD = 'time,seconds,device,connection,direction,what,kind,error,fields,detail,hex\r\n';

/** A row as a line of CSV (RFC 4180). */
export function csvLine(row: ExportRow, head: TraceHead, device: string): string {
  const { connection, direction = '', what, kind = '', error = '', fields, detail = '', bytes } = row;
  const cells = [
    isoTime(row, head),
    String(row.atUs / 1e6),
    device,
    connection,
    direction,
    what,
    kind,
    String(error),
    fields === undefined ? '' : JSON.stringify(fields),
    detail,
    bytes === undefined ? '' : toHex(bytes),
  ];
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/** A spreadsheet would run what begins like a formula. */
export function csvCell(text: string): string {
  const safe = /^[=+@\t\r-]/.test(text) && !/^-?\d+(?:\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A row as a line of JSON. */
export function jsonLine(row: ExportRow, head: TraceHead, device: string): string {
  const { atUs, bytes, direction, detail, ...rest } = row;
  return `${JSON.stringify({
    time: isoTime(row, head),
    t: atUs / 1e6,
    device,
    ...(direction === undefined ? {} : { direction }),
    ...rest,
    ...(detail === undefined || detail === '' ? {} : { detail: oneLine(detail) }),
    ...(bytes === undefined ? {} : { hex: toHex(bytes) }),
  })}\n`;
}

/** ISO 8601 with microseconds. */
function isoTime({ atUs }: ExportRow, { startMs }: TraceHead): string {
  const us = startMs * 1_000 + atUs;
  const [seconds = ''] = new Date(Math.floor(us / 1_000)).toISOString().split('.');
  return `${seconds}.${String(Math.floor(us % 1e6)).padStart(6, '0')}Z`;
}
