import { Counter, Gauge, type Registry } from 'prom-client';

/** One value of a family, with the values of its labels; a label without a value is left out. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** The values under one name, read for each request: nothing is kept, and nothing counted twice. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  read(): Iterable<Sample>;
}

/** @throws Error where the name or a label is none */
export function addCounter(registry: Registry, family: Family): void {
  const counter: Counter = new Counter({
    ...settings(registry, family),
    collect: () => {
      counter.reset();
      for (const [labels, value] of family.read()) counter.inc({ ...labels }, value);
    },
  });
}

/** @throws Error where the name or a label is none */
export function addGauge(registry: Registry, family: Family): void {
  const gauge: Gauge = new Gauge({
    ...settings(registry, family),
    collect: () => {
      gauge.reset();
      for (const [labels, value] of family.read()) gauge.set({ ...labels }, value);
    },
  });
}

/** The samples of a family without labels. */
export function one(value: number): readonly Sample[] {
  return [[{}, value]];
}

function settings(registry: Registry, { name, help, labels = [] }: Family) {
  return { name, help, labelNames: [...labels], registers: [registry] };
}

/** A histogram that was counted elsewhere; `counts` are not cumulative, with one more than there are `bounds`. */
export interface CountedHistogram {
  readonly name: string;
  readonly help: string;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
}

/** As the text format of Prometheus has it; the library can only observe one value after the other. */
export function histogramText({ name, help, bounds, counts, sum }: CountedHistogram): string {
  let count = 0;
  const buckets = [...bounds.map(String), '+Inf'].map((le, index) => {
    count += counts[index] ?? 0;
    return `${name}_bucket{le="${le}"} ${count}`;
  });
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...buckets];
  return [...lines, `${name}_sum ${sum}`, `${name}_count ${count}`, ''].join('\n');
}
