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
