import { coversPattern, type Json, type JsonObject } from '../contract/wire/index.ts';
import { decodeChunk } from './core/chunk.ts';
import { type Evidence, type Gap, gapsOf } from './core/gaps.ts';
import { inForce } from './core/in-force.ts';
import { joined, type Points, thinnedTo, within } from './core/points.ts';
import {
  type EventsQuery,
  MOST_PAST,
  PART_POINTS,
  type PastQuery,
  type Query,
  READ_EVENTS,
  topicOf,
  type ValuesQuery,
} from './query.ts';
import type { Series, SeriesTable } from './series-table.ts';
import type { SqlDatabase, SqlRow } from './sql.ts';

/** The width of a point, by tier: as it came, seconds, minutes. */
export const TIER_MS: readonly number[] = [0, 1_000, 60_000];

/** Of the statuses before a span, the one that holds at its beginning is among so many, wherever the clock was set back. */
const EARLIER_STATUSES = 32;

/** How long before a span a text may have become invalid that is so in it. */
const MARKED_BEFORE_MS = 86_400_000;

/** Answers queries from the database and what is not in chunks yet. */
export class HistoryReader {
  readonly #db: SqlDatabase;
  readonly #table: SeriesTable;

  readonly #running: boolean;

  /** `running`: the last run that the database knows goes on. */
  constructor(db: SqlDatabase, table: SeriesTable, running: boolean) {
    this.#db = db;
    this.#table = table;
    this.#running = running;
  }

  /** Undefined where nothing is known of that device, or that field. */
  answer(query: Query): JsonObject | undefined {
    switch (query.kind) {
      case 'values':
        return this.#values(query);
      case 'events':
        return this.#events(query);
      case 'past':
        return this.#past(query);
      case 'devices':
        return this.#devices(query.device, query.topics);
    }
  }

  #values({ device, field, from, to, points: most }: ValuesQuery): JsonObject | undefined {
    const [series, ...others] = this.#table.of(device, field);
    if (series === undefined) return undefined;
    const head = {
      device,
      field,
      ...(series.unit === '' ? {} : { unit: series.unit }),
      type: series.type,
      from,
      to,
    };
    if (series.type === 'text') return { ...head, ...this.#texts(series, others, from, to, most) };
    const kept = this.#points(series, from, to);
    if (most === 'all') {
      const part = within(kept.points, from, to);
      const rest = part.t[PART_POINTS];
      const sent = rest === undefined ? part : within(part, from, rest);
      const until = rest ?? to;
      return {
        ...head,
        resolution_ms: kept.widthMs,
        points: rowsOf(sent),
        gaps: this.#gaps(series, others, sent, kept.widthMs, from, until),
        ...(rest === undefined ? {} : { next: rest }),
      };
    }
    const { points, widthMs } = thinnedTo(kept.points, from, to, most);
    // A period that begins before the span is shown from there.
    if (widthMs > 0 && points.t[0] !== undefined) points.t[0] = Math.max(points.t[0], from);
    const width = Math.max(widthMs, kept.widthMs);
    // Gaps are found between the values as they are kept: a period of a thinned answer may hide one.
    const gaps = this.#gaps(series, others, kept.points, kept.widthMs, from, to);
    return { ...head, resolution_ms: width, points: rowsOf(points), gaps };
  }

  /** What is kept of a span, and how wide its widest points are. */
  #points(series: Series, from: number, to: number): { readonly points: Points; readonly widthMs: number } {
    const { id } = series;
    const rows =
      id === undefined
        ? []
        : this.#db
            // A point stands for the time behind it.
            .prepare(
              'SELECT tier, data FROM chunks WHERE series = ? AND to_ms >= ? AND from_ms < ? ORDER BY from_ms',
            )
            .all(id, from - 60_000, to);
    let widthMs = 0;
    const parts = rows.flatMap(({ tier, data }) => {
      if (!(data instanceof Uint8Array)) return [];
      const part = within(decodeChunk(data), from, to);
      if (part.t.length > 0) widthMs = Math.max(widthMs, TIER_MS[Number(tier)] ?? 0);
      return [part];
    });
    parts.push(within(this.#table.recent(series), from, to));
    return { points: joined(parts), widthMs };
  }

  /** A text lasts until the next one, so the one before the span is the first of it. */
  #texts(
    series: Series,
    others: readonly Series[],
    from: number,
    to: number,
    most: number | 'all',
  ): JsonObject {
    const { id } = series;
    const limit = most === 'all' ? PART_POINTS : most;
    const before = this.#db
      .prepare('SELECT t, text FROM texts WHERE series = ? AND t < ? ORDER BY t DESC LIMIT 1')
      .all(id ?? 0, from);
    const rows = this.#db
      .prepare('SELECT t, text FROM texts WHERE series = ? AND t >= ? AND t < ? ORDER BY t, rowid LIMIT ?')
      .all(id ?? 0, from, to, limit + 1);
    const shown = [...before, ...rows.slice(0, limit)];
    const next = rows[limit]?.t;
    const until = next === undefined ? to : Number(next);
    const times = shown.map(({ t }) => Number(t));
    const gaps = gapsOf(this.#evidence(series, others, from, until), times, 0, from, until);
    return {
      resolution_ms: 0,
      points: shown.map(({ t, text }) => [Number(t), null, null, String(text)]),
      gaps: gaps.map(([begin, end, reason]) => [begin, end, reason]),
      ...(next === undefined ? {} : { next: Number(next) }),
    };
  }

  #gaps(
    series: Series,
    others: readonly Series[],
    points: Points,
    widthMs: number,
    from: number,
    to: number,
  ): readonly Json[] {
    const gaps = gapsOf(this.#evidence(series, others, from, to), points.t, widthMs, from, to);
    return gaps.map(([begin, end, reason]) => [begin, end, reason]);
  }

  #evidence(series: Series, others: readonly Series[], from: number, to: number): Evidence {
    const runs = this.#db
      .prepare('SELECT started_at, alive_at FROM runs ORDER BY started_at, id')
      .all()
      .map(({ started_at: begin, alive_at: end }) => ({ from: Number(begin), to: Number(end) }));
    const last = runs.at(-1);
    // The present run goes on.
    if (last !== undefined && this.#running) last.to = Number.POSITIVE_INFINITY;
    const statusRows = [
      ...this.#db
        .prepare(
          "SELECT id, t, data FROM events WHERE device = ? AND kind = 'status' AND t < ? ORDER BY t DESC, id DESC LIMIT ?",
        )
        .all(series.device, from, EARLIER_STATUSES)
        .toReversed(),
      ...this.#db
        .prepare(
          "SELECT id, t, data FROM events WHERE device = ? AND kind = 'status' AND t >= ? AND t < ? ORDER BY t, id LIMIT ?",
        )
        .all(series.device, from, to, READ_EVENTS),
    ];
    const statuses = inForce(
      statusRows.map((row) => {
        const { status, reason } = jsonIn(row);
        return {
          n: Number(row.id),
          t: Number(row.t),
          status: String(status),
          reason: typeof reason === 'string' ? reason : undefined,
        };
      }),
    );
    const drops = this.#db
      .prepare(
        "SELECT t, data FROM events WHERE device = '' AND kind = 'bridge' AND t >= ? ORDER BY t, id LIMIT ?",
      )
      .all(from, READ_EVENTS)
      .flatMap((row): Gap[] => {
        const { from: begin, to: end, reason } = jsonIn(row);
        return typeof begin === 'number' && typeof end === 'number' ? [[begin, end, String(reason)]] : [];
      });
    // Of a text the one before the span is known, so that a mark before the span is known to last, or not.
    const marked = series.type === 'text' ? MARKED_BEFORE_MS : 0;
    const marks = this.#db
      .prepare('SELECT t, reason FROM marks WHERE series = ? AND t >= ? AND t < ? ORDER BY t LIMIT ?')
      .all(series.id ?? 0, from - marked, to, READ_EVENTS)
      .map(({ t, reason }) => ({ t: Number(t), reason: String(reason) }));
    const foreign = others.flatMap((other) => {
      const [begin, end] = this.#spanOf(other);
      return begin === undefined || end === undefined || end < from || begin >= to
        ? []
        : [[begin, end, 'declared_otherwise'] as const];
    });
    return { runs, statuses, drops: [...drops, ...foreign], marks, first: this.#spanOf(series)[0] };
  }

  /** The first and the last time of all that is kept of a series. */
  #spanOf(series: Series): readonly [number | undefined, number | undefined] {
    const id = series.id ?? 0;
    const row =
      series.type === 'text'
        ? this.#db
            .prepare(
              'SELECT (SELECT min(t) FROM texts WHERE series = ?) AS first, (SELECT max(t) FROM texts WHERE series = ?) AS last',
            )
            .get(id, id)
        : this.#db
            .prepare('SELECT min(from_ms) AS first, max(to_ms) AS last FROM chunks WHERE series = ?')
            .get(id);
    const times = [row?.first, row?.last, series.t[0], series.t.at(-1)].flatMap((t) =>
      t === null || t === undefined ? [] : [Number(t)],
    );
    return times.length === 0 ? [undefined, undefined] : [Math.min(...times), Math.max(...times)];
  }

  #events({ device, kinds, from, to, limit, before, topics }: EventsQuery): JsonObject {
    const where = ['t >= ?', 't < ?'];
    const values: (string | number)[] = [from, to];
    if (device !== undefined) {
      where.push('device = ?');
      values.push(device);
    }
    if (kinds !== undefined) {
      where.push(`kind IN (${kinds.map(() => '?').join(', ')})`);
      values.push(...kinds);
    }
    if (before !== undefined) {
      where.push('(t < ? OR (t = ? AND id < ?))');
      values.push(before[0], before[0], before[1]);
    }
    const rows = this.#db
      .prepare(
        `SELECT id, t, device, kind, epoch, rev, seq, data FROM events WHERE ${where.join(' AND ')} ORDER BY t DESC, id DESC LIMIT ?`,
      )
      .all(...values, READ_EVENTS);
    const may = new Map<string, boolean>();
    const visible = (row: SqlRow): boolean => {
      const topic = topicOf(String(row.kind), String(row.device));
      const known = may.get(topic);
      if (known !== undefined) return known;
      const covered = coversPattern(topics, topic);
      may.set(topic, covered);
      return covered;
    };
    const shown: SqlRow[] = [];
    let last: SqlRow | undefined;
    for (const row of rows) {
      if (shown.length >= limit) break;
      last = row;
      if (visible(row)) shown.push(row);
    }
    const more = last !== undefined && (last !== rows.at(-1) || rows.length === READ_EVENTS);
    return {
      events: shown.toReversed().map(eventOf),
      ...(more && last !== undefined ? { before: `${last.t}.${last.id}` } : {}),
    };
  }

  #past({ device, epoch, fromSeq, toSeq }: PastQuery): JsonObject {
    const rows = this.#db
      .prepare(
        'SELECT rev, seq, data FROM events WHERE device = ? AND epoch = ? AND rev IS NOT NULL AND seq BETWEEN ? AND ? ORDER BY rev DESC LIMIT ?',
      )
      .all(device, epoch, fromSeq, toSeq, MOST_PAST);
    return {
      events: rows.toReversed().map((row) => {
        const rev = Number(row.rev);
        return {
          id: eventId(rev, epoch),
          rev,
          seq: Number(row.seq),
          data: jsonIn({ data: row.data ?? '{}' }),
        };
      }),
    };
  }

  #devices(only: string | undefined, topics: readonly string[]): JsonObject | undefined {
    const rows = this.#db
      .prepare(
        'SELECT device, first_seen, last_seen, connections, disconnections, online FROM devices ORDER BY device',
      )
      .all()
      .filter(({ device }) => only === undefined || device === only)
      .filter(({ device }) => coversPattern(topics, `devices/${device}/state`));
    if (only !== undefined && rows.length === 0) return undefined;
    const alive = Number(this.#db.prepare('SELECT max(alive_at) AS at FROM runs').get()?.at);
    return {
      devices: rows.map(
        ({ device, first_seen: first, last_seen: last, connections, disconnections, online }) => ({
          device: String(device),
          ...(first === null ? {} : { first_seen: Number(first) }),
          ...(first === null
            ? {}
            : { last_seen: online === 1 ? Math.max(alive, Number(last)) : Number(last) }),
          connections: Number(connections),
          disconnections: Number(disconnections),
          ...(only === undefined ? {} : { fields: this.#fields(only) }),
        }),
      ),
    };
  }

  #fields(device: string): readonly Json[] {
    const known = new Set<string>();
    return this.#db
      .prepare('SELECT field, unit, type FROM series WHERE device = ? ORDER BY used_at DESC, id')
      .all(device)
      .flatMap(({ field, unit, type }) => {
        const name = String(field);
        if (known.has(name)) return [];
        known.add(name);
        return [{ field: name, ...(unit === '' ? {} : { unit: String(unit) }), type: String(type) }];
      });
  }
}

const rowsOf = ({ t, min, max, last }: Points): readonly Json[] =>
  t.map((time, index) => [time, min[index] ?? null, max[index] ?? null, last[index] ?? null]);

/** The id that the feed gave the event. */
const eventId = (rev: number, epoch: string): string => `r${rev}.${epoch.slice(0, 6)}`;

function eventOf(row: SqlRow): JsonObject {
  const { id: n, t, device, kind, epoch, rev, seq, data } = row;
  const feed = typeof epoch === 'string' && rev !== null && seq !== null;
  return {
    at: Number(t),
    n: Number(n),
    ...(feed ? { id: eventId(Number(rev), epoch), epoch, seq: Number(seq) } : {}),
    ...(device === '' ? {} : { device: String(device) }),
    kind: String(kind),
    ...jsonIn({ data: data ?? '{}' }),
  };
}

/** Data that this program wrote; a text that is none gives nothing. */
function jsonIn({ data }: SqlRow): Record<string, Json> {
  try {
    return JSON.parse(String(data)) as Record<string, Json>;
  } catch {
    return {};
  }
}
