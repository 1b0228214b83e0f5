import { type Device, declarations, qualityAt } from './devices.ts';
import { isNumber, isObject, objectOf, textOf } from './json.ts';
import { flatten, LONGEST_TEXT, scaledText, words } from './values.ts';

/** One value of a device with what is known about it. */
export interface Field {
  /** `message.field`. */
  readonly path: string;
  readonly value: unknown;
  /** What people call it. */
  readonly label: string;
  /** The heading under which it stands: its group, or its message. */
  readonly heading: string;
  readonly unit: string;
  readonly quality: string | undefined;
  readonly decimals: number | undefined;
}

/** What is declared of a field. */
export interface Described {
  readonly unit: string;
  readonly label: string | undefined;
  readonly group: string | undefined;
  readonly decimals: number | undefined;
  readonly warn: Bounds | undefined;
  readonly alarm: Bounds | undefined;
}

export interface Bounds {
  readonly least?: number | undefined;
  readonly greatest?: number | undefined;
}

/** With the message in front: two of them may have fields of the same name. */
export const nameOfPath = (path: string): string => words(path.replaceAll('.', ' '));
const withoutMessage = (path: string): string => words(path.slice(path.indexOf('.') + 1));

export function describedAt(key: string | undefined, path: string): Described {
  const { fields } = declarations.of(key);
  const found = isObject(fields) && Object.hasOwn(fields, path) ? fields[path] : undefined;
  const entry = isObject(found) ? found : {};
  return {
    unit: textOf(entry.unit),
    label: textOf(entry.label).slice(0, LONGEST_TEXT) || undefined,
    group: textOf(entry.group).slice(0, LONGEST_TEXT) || undefined,
    decimals: isNumber(entry.decimals) ? entry.decimals : undefined,
    warn: boundsOf(entry.warn),
    alarm: boundsOf(entry.alarm),
  };
}

function boundsOf(value: unknown): Bounds | undefined {
  if (!isObject(value)) return undefined;
  const { least, greatest } = value;
  return { least: isNumber(least) ? least : undefined, greatest: isNumber(greatest) ? greatest : undefined };
}

function headingOf(key: string | undefined, path: string, group: string | undefined): string {
  const message = path.split('.', 1)[0] ?? path;
  const { messages } = declarations.of(key);
  const found = isObject(messages) && Object.hasOwn(messages, message) ? messages[message] : undefined;
  return group ?? ((isObject(found) && textOf(found.label).slice(0, LONGEST_TEXT)) || words(message));
}

/** A value of a device by its path. */
export function fieldAt(device: Device, path: string, value: unknown): Field {
  const key = device.declaration;
  const { unit, label, group, decimals } = describedAt(key, path);
  return {
    path,
    value,
    label: label ?? withoutMessage(path),
    heading: headingOf(key, path, group),
    unit: unitBehind(unit, value),
    quality: qualityAt(device.state, path),
    decimals,
  };
}

/** All values of a device, in their order. */
export function fieldsOf(device: Device): readonly Field[] {
  const { values } = device.state;
  return isObject(values) ? [...flatten(values)].map(([path, value]) => fieldAt(device, path, value)) : [];
}

/** A unit stands behind a number, or a list of them; a word of an enum has none. */
export const unitBehind = (unit: string, value: unknown): string =>
  isNumber(Array.isArray(value) ? value[0] : value) ? unit : '';

export { scaledText };

export const fieldText = ({ value, decimals }: Pick<Field, 'value' | 'decimals'>): string =>
  scaledText(value, decimals);

/** A field as people call it where no heading says which message it belongs to: by its label, or by its message. */
export function nameOfField(key: string | undefined, path: string): string {
  const { label } = describedAt(key, path);
  if (label !== undefined || !path.includes('.')) return label ?? words(path);
  return `${headingOf(key, path, undefined)} ${withoutMessage(path).replaceAll('.', ' ')}`;
}

/** Fields of a list without headings, each by a name of its own: that of its message where two have the same label. */
export function namedApart(device: Pick<Device, 'declaration'>, fields: readonly Field[]): readonly Field[] {
  const labels = countsOf(fields.map(({ label }) => label));
  const headings = countsOf(fields.map(({ heading }) => heading));
  return fields.map((field) => {
    if (labels.get(field.label) === 1) return field;
    const label =
      headings.get(field.heading) === 1 ? field.heading : nameOfField(device.declaration, field.path);
    return { ...field, label };
  });
}

function countsOf(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/** The values outside of their limits, by name. */
export function alarmingOf({ state, declaration }: Pick<Device, 'state' | 'declaration'>): {
  readonly alarms: string;
  readonly warnings: string;
} {
  const quality = isObject(state.quality) ? Object.entries(state.quality) : [];
  const named = (level: string): string =>
    quality
      .filter(([, each]) => each === level)
      .map(([path]) => nameOfField(declaration, path))
      .join(', ');
  return { alarms: named('alarm'), warnings: named('warn') };
}

/**
 * The one value of a device that a list shows with its course: the one that was chosen, else what is outside of its limits,
 * else the number that is worth most, and of those the first.
 */
export function leadingField(device: Device, chosen: string): Field | undefined {
  const path = chosen === '' ? leadingPath(device) : chosen;
  if (path === undefined) return undefined;
  for (const [at, value] of flatten(objectOf(device.state.values)))
    if (at === path) return fieldAt(device, at, value);
  return undefined;
}

interface Led {
  readonly version: number;
  readonly fields: number;
  readonly path: string | undefined;
}

/** Asked at every change of every device: kept until there are other fields, or more is known of them. */
const led = new WeakMap<Device, Led>();

export function leadingPath(device: Device): string | undefined {
  const { values } = device.state;
  if (!isObject(values)) return undefined;
  if (device.level !== undefined) {
    for (const [path, value] of flatten(values))
      if (isNumber(value) && qualityAt(device.state, path) === device.level) return path;
  }
  const version = declarations.version.value;
  const fields = Object.keys(values).length;
  const known = led.get(device);
  if (known?.version === version && known.fields === fields) return known.path;
  let best: string | undefined;
  let most = -1;
  for (const [path, value] of flatten(values)) {
    const rank = isNumber(value) ? rankOf(device.declaration, path) : -1;
    if (rank > most) [best, most] = [path, rank];
  }
  led.set(device, { version, fields, path: best });
  return best;
}

/**
 * How much a number is worth being shown alone: with limits, with a unit, of its message itself; a model or a count is
 * not, and a place or a direction less than how fast it changes.
 */
function rankOf(declaration: string | undefined, path: string): number {
  const { unit, warn, alarm } = describedAt(declaration, path);
  if (warn !== undefined || alarm !== undefined) return 3;
  if (unit === '') return 0;
  if (unit === '°') return 1;
  return path.split('.').length > 2 ? 1 : 2;
}
