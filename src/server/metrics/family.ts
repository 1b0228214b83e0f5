import type * as Prom from 'prom-client';

/** What families are added to. The library comes with it, for it is loaded when metrics are first asked for. */
export interface Metrics {
  readonly library: typeof Prom;
  readonly registry: Prom.Registry;
}

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
export function addCounter(metrics: Metrics, family: Family): void {
  const counter: Prom.Counter = new metrics.library.Counter({
    ...settings(metrics, family),
    collect: () => {
      counter.reset();
      for (const [labels, value] of family.read()) counter.inc({ ...labels }, value);
    },
  });
}

/** @throws Error where the name or a label is none */
export function addGauge(metrics: Metrics, family: Family): void {
  const gauge: Prom.Gauge = new metrics.library.Gauge({
    ...settings(metrics, family),
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

function settings({ registry }: Metrics, { name, help, labels = [] }: Family) {
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
