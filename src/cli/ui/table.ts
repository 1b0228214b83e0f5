import stringWidth from 'string-width';
import { DEVICE_STATUSES } from '../../contract/wire/index.ts';
import { ageText, type DeviceRow } from './device-row.ts';
import { clampTop, type Extent, type MonitorChoice, type SortKey } from './keys.ts';
import { type Style, type Styled, toWidth } from './styled-text.ts';

/** One line of the screen, from left to right. */
export type Line = readonly Styled[];

export interface MonitorScene {
  readonly rows: readonly DeviceRow[];
  readonly choice: MonitorChoice;
  /** The bridge, and how true the rows are, in words. */
  readonly url: string;
  readonly connection: { readonly text: string; readonly trusted: boolean };
  /** In ms since the epoch, as the bridge counts it. */
  readonly now: number;
  readonly columns: number;
  readonly lines: number;
}

/** The most urgent status comes first, and one that is not here last. */
const STATUS_STYLES: ReadonlyMap<string, Style> = new Map<DeviceRow['status'], Style>([
  ['offline', 'red'],
  ['stale', 'yellow'],
  ['registering', 'yellow'],
  ['unknown', 'dim'],
  ['away', 'blue'],
  ['online', 'green'],
  ['secret', 'dim'],
]);
const STATUS_ORDER: readonly string[] = [
  ...new Set([...STATUS_STYLES.keys(), ...Object.keys(DEVICE_STATUSES)]),
];

/** Lines that are no rows: title, counts, heading, foot. */
const FRAME_LINES = 4;
/** Of 80 columns at most, as most terminals begin with. */
const KEYS = 'q quit  ↑ ↓ PgUp PgDn Home End scroll  / filter  Esc all  s sort  Ctrl-L redraw';

/** The rows that the filter leaves, in the order that was chosen. */
export function shownRows(rows: readonly DeviceRow[], { filter, sort }: MonitorChoice): DeviceRow[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const found = rows.filter((row) => {
    const text = `${row.id} ${row.status} ${row.link} ${row.detail} ${row.quality ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  return found.sort((a, b) => compare(a, b, sort) || natural.compare(a.id, b.id));
}

const natural = new Intl.Collator('en', { numeric: true });

function compare(a: DeviceRow, b: DeviceRow, sort: SortKey): number {
  switch (sort) {
    case 'id':
      return 0;
    case 'status':
      return rank(a) - rank(b);
    case 'since':
      return (b.since ?? 0) - (a.since ?? 0);
    case 'seen':
      return (a.seenAt ?? 0) - (b.seenAt ?? 0);
  }
}

function rank({ status, quality, failed }: DeviceRow): number {
  if (failed) return 0;
  // An alarm of a device that is online is nearer to a fault than to health.
  if (status === 'online' && quality !== undefined) return quality === 'alarm' ? 0.5 : 1.5;
  return STATUS_ORDER.indexOf(status);
}

/** How many rows fit, of how many. */
export function extentOf({ rows, choice, lines }: MonitorScene): Extent {
  return { page: Math.max(1, lines - FRAME_LINES), rows: shownRows(rows, choice).length };
}

/** Just `lines` lines of just `columns` columns. */
export function monitorLines(scene: MonitorScene): Line[] {
  const { rows, choice, columns, lines } = scene;
  const shown = shownRows(rows, choice);
  const page = Math.max(1, lines - FRAME_LINES);
  const top = clampTop(choice.top, { page, rows: shown.length });
  const visible = shown.slice(top, top + page);
  const widths = columnWidths(rows, columns);
  const body = visible.map((row) => rowLine(row, scene, widths));
  const empty: Line = [{ text: toWidth('', columns), style: 'plain' }];
  const all = [
    titleLine(scene),
    countLine(scene, shown.length, top, visible.length),
    [{ text: toWidth(heading(widths), columns), style: 'inverse' }] as const,
    ...body,
    ...Array.from({ length: Math.max(0, page - body.length) }, () => empty),
    footLine(scene),
  ];
  return all.slice(0, lines).map((line) => clip(line, columns));
}

function titleLine({ url, connection, columns }: MonitorScene): Line {
  const style: Style = connection.trusted ? 'plain' : 'inverse';
  const room = Math.max(0, columns - stringWidth(url) - 1);
  return [
    { text: `${url} `, style: 'bold' },
    { text: toWidth(connection.text, room), style },
  ];
}

function countLine(
  { rows, choice, columns }: MonitorScene,
  shown: number,
  top: number,
  visible: number,
): Line {
  const counts = new Map<string, number>();
  for (const { status } of rows) counts.set(status, (counts.get(status) ?? 0) + 1);
  const parts: Styled[] = [
    { text: `${rows.length} ${rows.length === 1 ? 'device' : 'devices'}`, style: 'plain' },
  ];
  for (const status of STATUS_ORDER.toReversed()) {
    const count = counts.get(status);
    if (count === undefined) continue;
    parts.push(
      { text: '   ', style: 'plain' },
      { text: `${count} ${status}`, style: STATUS_STYLES.get(status) ?? 'plain' },
    );
  }
  const alarms = rows.filter(({ quality }) => quality === 'alarm').length;
  if (alarms > 0) parts.push({ text: '   ', style: 'plain' }, { text: `${alarms} in alarm`, style: 'red' });
  const where = visible < shown ? `   rows ${top + 1} to ${top + visible} of ${shown}` : '';
  const filtered = choice.filter === '' ? '' : `   filter "${choice.filter}" leaves ${shown}`;
  parts.push({ text: `${filtered}${where}   sorted by ${choice.sort}`, style: 'dim' });
  return fill(parts, columns);
}

function footLine({ choice, columns }: MonitorScene): Line {
  if (choice.typing)
    return [
      { text: toWidth(`filter: ${choice.filter}▏  Enter keeps it, Esc clears it`, columns), style: 'bold' },
    ];
  return [
    { text: toWidth(choice.help ? KEYS : 'q quit   / filter   s sort   ? help', columns), style: 'dim' },
  ];
}

interface Widths {
  readonly id: number;
  readonly status: number;
  readonly since: number;
  readonly seen: number;
  readonly roundTrip: number;
  readonly link: number;
  readonly detail: number;
}

const GAP = 2;
/** Below this, what stands in the last column cannot be read. */
const LEAST_DETAIL = 18;
const HEADINGS: Readonly<Record<keyof Widths, string>> = {
  id: 'DEVICE',
  status: 'STATUS',
  since: 'FOR',
  seen: 'SEEN',
  roundTrip: 'RTT',
  link: 'LINK',
  detail: 'VALUES, OR WHY NOT',
};

/** Narrow terminals lose the right columns first: what a device is called and how it is stays. */
function columnWidths(rows: readonly DeviceRow[], columns: number): Widths {
  const longest = (texts: readonly string[], least: number, most: number) =>
    Math.min(most, Math.max(least, ...texts.map((text) => stringWidth(text))));
  const id = longest(
    rows.map((row) => row.id),
    HEADINGS.id.length,
    24,
  );
  const link = longest(
    rows.map((row) => row.link),
    HEADINGS.link.length,
    32,
  );
  let left = columns;
  const take = (width: number, beside = 0): number => {
    const given = left >= width + GAP + beside ? width : 0;
    left -= given === 0 ? 0 : given + GAP;
    return given;
  };
  const widths = { id: take(id), status: take(11), since: take(5) };
  const more = {
    seen: take(5, LEAST_DETAIL),
    roundTrip: take(6, LEAST_DETAIL),
    link: take(link, LEAST_DETAIL),
  };
  return { ...widths, ...more, detail: Math.max(0, left) };
}

function heading(widths: Widths): string {
  return cells(widths, (name) => HEADINGS[name])
    .map(({ text }) => text)
    .join('');
}

function rowLine(row: DeviceRow, { now, connection }: MonitorScene, widths: Widths): Line {
  const age = (at: number | undefined): string => (at === undefined ? '' : ageText(now - at));
  const texts: Readonly<Record<keyof Widths, string>> = {
    id: row.id,
    status: row.status,
    since: age(row.since),
    seen: age(row.seenAt),
    roundTrip: row.roundTripMs === undefined ? '' : `${row.roundTripMs}ms`,
    link: row.link,
    detail: row.detail,
  };
  const styleOf = (name: keyof Widths): Style => {
    // What is not known to be true any more must not look as if it were.
    if (!connection.trusted) return 'dim';
    if (name === 'status') return STATUS_STYLES.get(row.status) ?? 'plain';
    if (name !== 'detail' || row.quality === undefined) return 'plain';
    return row.quality === 'alarm' ? 'red' : 'yellow';
  };
  return cells(widths, (name) => texts[name], styleOf);
}

function cells(
  widths: Widths,
  textOf: (name: keyof Widths) => string,
  styleOf: (name: keyof Widths) => Style = () => 'plain',
): Styled[] {
  // The keys of an object literal in this file.
  const names = Object.keys(HEADINGS) as (keyof Widths)[];
  return names
    .filter((name) => widths[name] > 0)
    .map((name) => ({
      text: `${toWidth(textOf(name), widths[name])}${name === 'detail' ? '' : ' '.repeat(GAP)}`,
      style: styleOf(name),
    }));
}

function fill(parts: readonly Styled[], columns: number): Line {
  const used = parts.reduce((sum, { text }) => sum + stringWidth(text), 0);
  return used >= columns ? parts : [...parts, { text: ' '.repeat(columns - used), style: 'plain' }];
}

/** A line that is too long would push down all that follow. */
function clip(line: Line, columns: number): Line {
  let left = columns;
  return line.flatMap(({ text, style }) => {
    const width = stringWidth(text);
    const given = width <= left ? text : left > 0 ? toWidth(text, left) : '';
    left = Math.max(0, left - width);
    return given === '' ? [] : [{ text: given, style }];
  });
}
