import { qualityOf } from '../../client/index.ts';
import {
  type DeviceStatus,
  deviceStatusOf,
  isJsonObject,
  type Json,
  type JsonObject,
  ownValue,
} from '../../contract/wire/index.ts';
import { printable } from '../../system/index.ts';

/** One device as a table shows it; all text is fit to be printed. */
export interface DeviceRow {
  readonly id: string;
  readonly status: DeviceStatus | 'secret';
  /** Since when, in ms since the epoch. */
  readonly since: number | undefined;
  readonly link: string;
  /** Nothing becomes of its link by itself: its configuration is wrong, say. */
  readonly failed: boolean;
  /** When the last valid frame came. */
  readonly seenAt: number | undefined;
  readonly roundTripMs: number | undefined;
  /** Why it is not online; its values where it is. */
  readonly detail: string;
  /** Something is out of its limits. */
  readonly quality: 'alarm' | 'warn' | undefined;
}

const LONGEST_VALUE = 40;
/** Seconds and below are what an age is read in. */
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/**
 * A row of a device's documents, and of that which describes its values. The bridge may be another version, so nothing
 * in them is relied upon.
 */
export function deviceRow(
  id: string,
  state: JsonObject,
  stats?: JsonObject | undefined,
  declaration?: JsonObject | undefined,
): DeviceRow {
  const link = isJsonObject(state.link) ? state.link : {};
  const sealed = typeof state.$jwe === 'string';
  const status = sealed ? 'secret' : deviceStatusOf(state.status);
  return {
    id: printable(labelled(id, textOf(state.label))),
    status: status ?? 'unknown',
    since: numberOf(state.since),
    link: printable(
      [textOf(link.status), textOf(link.bus), textOf(link.address)]
        .filter((each) => each !== undefined)
        .join(' '),
    ),
    failed: link.status === 'failed',
    seenAt: numberOf(stats?.last_frame_at),
    roundTripMs: numberOf(stats?.round_trip_ms),
    detail: printable(
      sealed
        ? 'encrypted; its key is not here (HEARTWIRE_KEY, --key-file)'
        : detailOf(state, link, declaration),
    ),
    quality: worst(state.quality),
  };
}

function detailOf(state: JsonObject, link: JsonObject, declaration: JsonObject | undefined): string {
  const why = [state, link].flatMap(({ reason, detail }) => {
    const words = [textOf(reason)?.replaceAll('_', ' '), textOf(detail)].filter((each) => each !== undefined);
    return words.length === 0 ? [] : [words.join(': ')];
  });
  const [first] = why;
  if (first !== undefined && state.status !== 'online') return first;
  const quality = isJsonObject(state.quality) ? state.quality : {};
  const values = isJsonObject(state.values) ? state.values : {};
  const shown = flat(values).map(([path, value]) => {
    const own = qualityOf(quality, path);
    const mark = own === undefined ? '' : ` (${String(own)})`;
    return {
      bad: own !== undefined,
      text: `${labelOf(declaration, path)}=${valueText(value)}${unitOf(declaration, path, value)}${mark}`,
    };
  });
  // What is out of its limits is what one looks for.
  return [...shown.filter(({ bad }) => bad), ...shown.filter(({ bad }) => !bad)]
    .map(({ text }) => text)
    .join('  ');
}

/** The leaves as `message.field` and value. */
function flat(object: JsonObject, above = ''): [path: string, value: Json | undefined][] {
  return Object.entries(object).flatMap(([key, value]): [string, Json | undefined][] => {
    const path = `${above}${key}`;
    return isJsonObject(value) && value.$bytes === undefined ? flat(value, `${path}.`) : [[path, value]];
  });
}

/** A device by what people call it, and by its id, which commands take. */
const labelled = (id: string, label: string | undefined): string =>
  label === undefined ? id : `${label} (${id})`;

/** What people call a value; its path where they have no other name for it. */
function labelOf(declaration: JsonObject | undefined, path: string): string {
  const fields = isJsonObject(declaration?.fields) ? declaration.fields : {};
  const described = ownValue(fields, path);
  return (isJsonObject(described) ? textOf(described.label) : undefined) ?? path;
}

/** Behind a number, or a list of them; a word of an enum has none. */
function unitOf(declaration: JsonObject | undefined, path: string, value: Json | undefined): string {
  const fields = isJsonObject(declaration?.fields) ? declaration.fields : {};
  const described = ownValue(fields, path);
  const unit = isJsonObject(described) ? textOf(described.unit) : undefined;
  const isNumber = typeof (Array.isArray(value) ? value[0] : value) === 'number';
  return unit === undefined || !isNumber ? '' : ` ${unit}`;
}

function valueText(value: Json | undefined): string {
  if (value === undefined) return '';
  if (isJsonObject(value) && typeof value.len === 'number') return `${value.len} bytes`;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

function worst(quality: Json | undefined): DeviceRow['quality'] {
  const marks = isJsonObject(quality) ? Object.values(quality) : [];
  return marks.includes('alarm') ? 'alarm' : marks.includes('warn') ? 'warn' : undefined;
}

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
const numberOf = (value: Json | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** A time span in few letters: `8s`, `12m`, `3h05`, `4d`. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < MINUTE_S) return `${seconds}s`;
  if (seconds < HOUR_S) return `${Math.floor(seconds / MINUTE_S)}m`;
  const minutes = Math.floor((seconds % HOUR_S) / MINUTE_S);
  if (seconds < DAY_S) return `${Math.floor(seconds / HOUR_S)}h${String(minutes).padStart(2, '0')}`;
  return `${Math.floor(seconds / DAY_S)}d`;
}
