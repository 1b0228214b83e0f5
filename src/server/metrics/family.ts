import type { PiecesOfText } from '../http/pieces.ts';

/** One value of a family, with the values of its labels; a label without a value is left out. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** The values under one name, read for each request: nothing is kept, and nothing counted twice. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  read(): Iterable<Sample>;
}

/** A family with its type, as it stands in the text. */
export interface TypedFamily extends Family {
  readonly type: 'counter' | 'gauge';
}

/** All families, in the order of the text. */
export interface Metrics {
  readonly families: Map<string, TypedFamily>;
}

/** @throws Error where the name or a label is none, or the name is taken */
export function addCounter(metrics: Metrics, family: Family): void {
  add(metrics, family, 'counter');
}

/** @throws Error where the name or a label is none, or the name is taken */
export function addGauge(metrics: Metrics, family: Family): void {
  add(metrics, family, 'gauge');
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

function add({ families }: Metrics, family: Family, type: TypedFamily['type']): void {
  const { name, help, labels = [], read } = family;
  if (!NAME.test(name)) throw new Error(`"${name}" is no name of a metric.`);
  if (families.has(name)) throw new Error(`There are two metrics ${name}.`);
  const bad = labels.find((label) => !LABEL.test(label));
  if (bad !== undefined) throw new Error(`"${bad}" is no label of the metric ${name}.`);
  families.set(name, { name, help, labels, read, type });
}

/** The samples of a family without labels. */
export function one(value: number): readonly Sample[] {
  return [[{}, value]];
}

/** Samples between two places where a text may be interrupted. */
const STRIDE = 64;

/** Adds a family to a text in the format of Prometheus (0.0.4); yields wherever that may be interrupted. */
export function* addFamily(text: PiecesOfText, family: TypedFamily): Generator<undefined, void> {
  const { name, help, type, read } = family;
  text.add(`# HELP ${name} ${escaped(help, false)}\n# TYPE ${name} ${type}\n`);
  let count = 0;
  for (const [labels, value] of read()) {
    text.add(`${name}${labelsText(labels)} ${numberText(value)}\n`);
    if (++count % STRIDE === 0) yield;
  }
  text.add('\n');
  yield;
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  let text = '';
  for (const [name, value] of Object.entries(labels))
    text += `${text === '' ? '{' : ','}${name}="${escaped(value, true)}"`;
  return text === '' ? '' : `${text}}`;
}

const SPECIAL = /[\\\n"]/;

function escaped(text: string, quoted: boolean): string {
  if (!SPECIAL.test(text)) return text;
  const plain = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return quoted ? plain.replaceAll('"', '\\"') : plain;
}

function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

/** A histogram that was counted elsewhere; `counts` are not cumulative, with one more than there are `bounds`. */
export interface CountedHistogram {
  readonly name: string;
  readonly help: string;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** As the text format of Prometheus has it. */
export function histogramText({ name, help, bounds, counts, sum }: CountedHistogram): string {
  let count = 0;
  const buckets = [...bounds.map(String), '+Inf'].map((le, index) => {
    count += counts[index] ?? 0;
    return `${name}_bucket{le="${le}"} ${count}`;
  });
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...buckets];
  return [...lines, `${name}_sum ${sum}`, `${name}_count ${count}`, ''].join('\n');
}
