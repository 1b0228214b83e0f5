import { HeartwireError } from '../errors.ts';
import { FeedStore } from '../feed/index.ts';
import { DeviceRecord } from '../history/index.ts';
import type { TraceSource } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { replayTraces } from '../replay/index.ts';
import type { Cell, ValueColumn, ValueRow, ValueTable } from './value-table.ts';

/** Rows that wait for the writer; the replay waits above it. */
const MOST_ROWS = 2_000;

interface TracedColumn extends ValueColumn {
  readonly device: string;
}

type Sample = (device: string, column: TracedColumn, t: number, cell: Cell) => void;

/**
 * The values that a bridge would have kept of what a trace says: the trace is played through the session of a live
 * device, once for the columns and once for the rows. `open` opens it.
 *
 * @throws HeartwireError `bad_argument` where the trace has several devices, and none of them is named
 */
export async function traceValues(
  open: () => Promise<TraceSource>,
  messages: DeclaredProtocol | undefined,
  wanted: string | undefined,
): Promise<ValueTable> {
  const found = new Map<string, Map<string, TracedColumn>>();
  await play(await open(), messages, (device, column) => {
    const columns = found.get(device) ?? new Map<string, TracedColumn>();
    found.set(device, columns.set(column.field, column));
  });
  const device = wanted ?? [...found.keys()][0] ?? '';
  const known = [...found.keys()].join(', ');
  if (wanted === undefined && found.size > 1)
    throw new HeartwireError('bad_argument', `The trace has several devices: ${known}.`, {
      fix: 'Name one of them with --device.',
    });
  if (wanted !== undefined && !found.has(wanted))
    throw new HeartwireError('bad_argument', `The trace has no values of ${wanted}.`, {
      seen: wanted,
      fix: known === '' ? 'It has values of no device.' : `It has those of ${known}.`,
    });
  const columns = [...(found.get(device)?.values() ?? [])];
  return { device, columns, rows: rowsOf(await open(), messages, device, columns) };
}

async function* rowsOf(
  source: TraceSource,
  messages: DeclaredProtocol | undefined,
  device: string,
  columns: readonly TracedColumn[],
): AsyncGenerator<ValueRow, void> {
  const places = new Map(columns.map(({ field }, index) => [field, index]));
  let rows: ValueRow[] = [];
  let present: { readonly t: number; readonly cells: Cell[] } | undefined;
  let taken = gate();
  let filled = gate();
  const over = new AbortController();
  let ended = false;
  const playing = play(
    source,
    messages,
    (of, { field }, t, cell) => {
      const place = places.get(field);
      if (of !== device || place === undefined) return;
      if (present?.t !== t) {
        present = { t, cells: new Array<Cell>(columns.length).fill(undefined) };
        rows.push(present);
      }
      // What is a text in some messages is one in all of them.
      present.cells[place] = columns[place]?.type === 'text' ? String(cell) : cell;
    },
    () => {
      if (rows.length < MOST_ROWS) return undefined;
      filled.open();
      return taken.opened;
    },
    over.signal,
  ).finally(() => {
    ended = true;
    filled.open();
  });
  // It is awaited below; until then it must not end the process.
  playing.catch(() => undefined);
  try {
    for (;;) {
      await filled.opened;
      filled = gate();
      // The last moment may go on with the next event.
      const whole = ended ? rows : rows.slice(0, -1);
      rows = ended ? [] : rows.slice(-1);
      yield* whole;
      if (ended) break;
      const resume = taken;
      taken = gate();
      resume.open();
    }
    await playing;
  } finally {
    over.abort();
    taken.open();
  }
}

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Plays a trace and says every value that the history takes. */
async function play(
  source: TraceSource,
  messages: DeclaredProtocol | undefined,
  sample: Sample,
  ready?: () => Promise<void> | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const columns: TracedColumn[] = [];
  const say = (sid: number, t: number, value: number | string): void => {
    const column = columns[sid - 1];
    if (column !== undefined)
      sample(column.device, column, Math.round(t), column.type === 'boolean' ? value === 1 : value);
  };
  await replayTraces([source], {
    store: new FeedStore({ epoch: 'export' }),
    messages,
    ready,
    ...(signal === undefined ? {} : { signal }),
    observers: (clock) => [
      {
        wantsSamples: () => true,
        observe: ({ id, fields }) =>
          new DeviceRecord({
            device: id,
            fields,
            collector: {
              series: (device, field, unit, type) =>
                columns.push({ device, field, unit: unit === '' ? undefined : unit, type }),
              value: say,
              text: say,
              event: () => undefined,
              mark: () => undefined,
              over: () => undefined,
            },
            now: () => clock.now().wallMs,
            conceals: () => false,
            admits: () => true,
            closed: () => undefined,
          }),
      },
    ],
  });
}
