import type { Value, Values } from '../contract/index.ts';
import {
  bcdSize,
  type EnumDeclaration,
  type FieldDeclaration,
  holdsOf,
  type MessageDeclaration,
  parseNumberType,
} from '../protocol/index.ts';

/** What a made-up value depends on: the same seed, name and time give the same one. */
export interface ValueSource {
  readonly seed: number;
  readonly enums: Readonly<Record<string, EnumDeclaration>>;
  /** Of the device: since when its values move, and what they show as a time. In ms. */
  readonly elapsedMs: number;
  readonly wallMs: number;
  /** Values that commands have set, by `message.field`. */
  readonly set: ReadonlyMap<string, Value>;
  /** A value that is not made up, by `message.field`. */
  known?(path: string): Value | undefined;
  /** It measures a frequency: its voltages are those of the mains. */
  readonly mains?: boolean | undefined;
}

/** Units and names of what only grows. */
const GROWS = /^(?:[kM]?(?:Wh|varh|VAh|Ah)|s|h|min|l|m³)$/;
const COUNTS = /(?:^|_)(?:count(?:er)?|total|energy|uptime|up_for|sequence|time_of_week)(?:_|$)/;
/** Names of what is on the mains, beside a battery or a panel. */
const MAINS = /^(?:ac|grid|mains|line|phase)_/;
/** Names of what is not, where other values of the device are. */
const DIRECT = /(?:^|_)(?:dc|battery|panel|pv|cell|supply)(?:_|$)/;
/** Ratios of two powers. */
const RATIO = /(?:^|_)(?:power_factor|pf|cos_?phi)(?:_|$)/;
/** What a device of a bench usually shows, by unit: nothing that a manual says, only near what is real. */
const USUAL: Readonly<Record<string, readonly [least: number, greatest: number]>> = {
  V: [11.8, 14.4],
  mV: [3_200, 3_400],
  A: [0, 10],
  mA: [0, 500],
  W: [0, 2_000],
  kW: [0, 5],
  VA: [0, 2_200],
  var: [0, 400],
  Hz: [49.9, 50.1],
  '°C': [18, 32],
  K: [291, 305],
  '%': [20, 90],
  hPa: [990, 1_030],
  mbar: [990, 1_030],
  kPa: [99, 103],
  bar: [1, 6],
  ppm: [400, 1_200],
  Pa: [99_000, 103_000],
};
const USUAL_MAINS = [225, 235] as const;
const USUAL_RATIO = [0.85, 0.99] as const;
const USUAL_ELSE = [0, 100] as const;
/** A name or a bit lasts so long. */
const STEP_MS = 10_000;
const SHORTEST_PERIOD_MS = 20_000;
/** Elements of an array that may have any number. */
const ELEMENTS = 2;
const LONGEST_TEXT = 16;

/** What stands in a line of which no column is declared: two sensors, with their names where it has names. */
export const autoFields = ({ keyValue }: MessageDeclaration): readonly FieldDeclaration[] => {
  const [first, second] = keyValue === undefined ? ['c1', 'c2'] : ['temperature', 'humidity'];
  return [
    { name: first, type: 'number', range: [18, 24] },
    { name: second, type: 'number', range: [35, 55] },
  ];
};

/** Values for fields, by name; a length or count that another field has follows from that one. */
export function madeValues(fields: readonly FieldDeclaration[], path: string, source: ValueSource): Values {
  const values: Record<string, Value> = {};
  const counted = new Set(
    fields.flatMap(({ length, count }) =>
      [length, count].flatMap((each) => (typeof each === 'object' ? [each.field] : [])),
    ),
  );
  for (const field of fields) {
    const { name } = field;
    if (name === undefined || field.value !== undefined || counted.has(name) || isSilent(field)) continue;
    const known = source.known?.(`${path}.${name}`) ?? source.set.get(`${path}.${name}`);
    values[name] = known ?? madeValue(field, `${path}.${name}`, source);
  }
  return values;
}

const isSilent = ({ type }: FieldDeclaration): boolean => holdsOf(type) === 'nothing';

function madeValue(field: FieldDeclaration, path: string, source: ValueSource): Value {
  switch (holdsOf(field.type)) {
    case 'text':
      return typeof field.enum === 'object' ? nameOf(field.enum, path, source) : textOf(field, source);
    case 'bytes':
      return { ...zeros(field) };
    case 'group':
      return madeValues(field.fields ?? [], path, source);
    case 'list': {
      const { count, of, max = ELEMENTS } = field;
      const length = typeof count === 'number' ? count : Math.min(ELEMENTS, max);
      if (of === undefined) return [];
      return Array.from({ length }, (_, index) => madeValue(of, `${path}[${index}]`, source));
    }
    case 'flag':
      return stepOf(path, source) % 2 === 1;
    case 'time':
      return new Date(Math.floor(source.wallMs / 1_000) * 1_000).toISOString();
    default:
      return numberOf(field, path, source);
  }
}

function numberOf(field: FieldDeclaration, path: string, source: ValueSource): Value {
  const names = typeof field.enum === 'string' ? source.enums[field.enum] : field.enum;
  if (names !== undefined) return nameOf(names, path, source);
  if (field.bits !== undefined) {
    return Object.fromEntries(
      field.bits.map(({ name, at, enum: own }) => {
        const set = source.set.get(`${path}.${name}`);
        if (set !== undefined) return [name, set];
        const of = typeof own === 'string' ? source.enums[own] : own;
        if (of !== undefined) return [name, nameOf(of, `${path}.${name}`, source)];
        const step = stepOf(`${path}.${name}`, source) % 2;
        return [name, String(at).includes('..') ? step : step === 1];
      }),
    );
  }
  if (field.type === 'bcd' && field.as === 'text') return digitsOf(field, path, source);
  const [least, greatest] = boundsOf(field, source.mains === true);
  const { unit = '', name = '' } = field;
  const scale = scaleOf(field);
  const phase = hash(path, source.seed);
  if (GROWS.test(unit) || COUNTS.test(name)) {
    const grown =
      Math.floor(source.elapsedMs / 1_000) * Math.max(Math.abs(scale), 0.01) +
      phase * 0.1 * (greatest - least);
    return rounded(least + (grown % Math.max(greatest - least, 1e-9)), field);
  }
  const period = SHORTEST_PERIOD_MS * (1 + 3 * phase);
  const wave = Math.sin(2 * Math.PI * (source.elapsedMs / period + phase));
  return rounded((least + greatest) / 2 + 0.45 * (greatest - least) * wave, field);
}

/** Digits that name something; the same in every message. */
function digitsOf(field: FieldDeclaration, path: string, source: ValueSource): string {
  const { digits } = bcdSize(field);
  return String(Math.floor(hash(path, source.seed) * 1e9))
    .padStart(digits, '0')
    .slice(-digits);
}

/**
 * Between what can be sent, or what is good, or what is usual of such a quantity; never beyond what the type can carry.
 * What is usual stands here and in no pack: a pack says only what its manual says.
 */
function boundsOf(field: FieldDeclaration, mains: boolean): readonly [number, number] {
  const { type, range, limits, offset = 0 } = field;
  const scale = scaleOf(field);
  const number = parseNumberType(type, 'big');
  const bits = 8 * Math.min(number?.bytes ?? 4, 4);
  const signed = number?.signed === true;
  const raw = (
    type === 'bcd'
      ? [0, mostDigits(field)]
      : [signed ? -(2 ** (bits - 1)) : 0, (signed ? 2 ** (bits - 1) : 2 ** bits) - 2]
  ).map((each) => each * scale + offset);
  const carried =
    number?.kind === 'int' || type === 'bcd'
      ? [Math.min(...raw), Math.max(...raw)]
      : [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  const [lowest = 0, highest = 0] = carried;
  const declared = range ?? limits?.warn ?? limits?.alarm;
  const [least, greatest] = declared ?? usualOf(field, mains);
  const low = Math.max(lowest, least ?? Math.min(0, (greatest ?? 0) - 100));
  const high = Math.min(highest, greatest ?? Math.max(low + 100, low));
  if (declared !== undefined || high >= low) return [low, Math.max(low, high)];
  // What is usual does not fit into the type: a year that counts from 2000, a voltage with a coarse scale.
  const nearest = Math.min(Math.max(lowest, 0), highest);
  return [nearest, Math.min(nearest + 100, highest)];
}

/** What such a quantity usually is. */
function usualOf({ name = '', unit = '' }: FieldDeclaration, mains: boolean): readonly [number, number] {
  if (RATIO.test(name)) return USUAL_RATIO;
  if (unit === 'V' && !DIRECT.test(name) && (mains || MAINS.test(name))) return USUAL_MAINS;
  return Object.hasOwn(USUAL, unit) ? (USUAL[unit] ?? USUAL_ELSE) : USUAL_ELSE;
}

/** The greatest number of decimals in nibbles, of which a sign may take a bit or a nibble. */
function mostDigits({ length, digits, sign }: FieldDeclaration): number {
  const nibbles = digits ?? 2 * (typeof length === 'number' ? length : 1);
  if (sign === undefined) return 10 ** nibbles - 1;
  return (sign === 'magnitude' ? 8 : 1) * 10 ** (nibbles - 1) - 1;
}

/** As finely as the field is written, or to hundredths. */
function rounded(value: number, field: FieldDeclaration): number {
  const { type, offset = 0 } = field;
  const whole = /^[ui]\d/.test(type);
  const step = field.scale === undefined ? (whole ? 1 : 0.01) : scaleOf(field);
  const steps = Math.round((value - offset) / step);
  // 0.1 * 3 is a little more than 0.3.
  return Number((steps * step + offset).toPrecision(12));
}

/** A scale that another field holds is made up with it, and is not known here. */
const scaleOf = ({ scale }: FieldDeclaration): number => (typeof scale === 'number' ? scale : 1);

function nameOf(names: EnumDeclaration, path: string, source: ValueSource): Value {
  const all = Object.values(names);
  return all[stepOf(path, source) % Math.max(all.length, 1)] ?? 0;
}

const stepOf = (path: string, { seed, elapsedMs }: ValueSource): number =>
  Math.floor(elapsedMs / STEP_MS + 8 * hash(path, seed));

function textOf(
  { length, content, terminator, encoding = 'utf8' }: FieldDeclaration,
  source: ValueSource,
): string {
  const unit = encoding.startsWith('utf16') ? 2 : 1;
  const most = typeof length === 'number' ? Math.floor(length / unit) : LONGEST_TEXT;
  switch (content) {
    case 'uuid':
      return '00000000-0000-4000-8000-000000000000';
    case 'datetime':
      return new Date(source.wallMs).toISOString().slice(0, 19).replace('T', ' ');
    case 'digits':
      return '1234567890'.repeat(Math.ceil(most / 10)).slice(0, most);
    case 'printable':
      return 'simulated'.padEnd(most, '.').slice(0, most);
    case undefined:
      return 'simulated'.slice(0, terminator === undefined ? most : LONGEST_TEXT);
  }
}

function zeros({ length }: FieldDeclaration): { readonly $bytes: string; readonly len: number } {
  const len = typeof length === 'number' ? length : 0;
  return { $bytes: Buffer.alloc(len).toString('base64'), len };
}

/** A number from 0 to 1 that depends on a text and a seed (FNV-1a). */
function hash(text: string, seed: number): number {
  let value = (0x811c9dc5 ^ seed) >>> 0;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return ((value ^ (value >>> 15)) >>> 0) / 2 ** 32;
}
