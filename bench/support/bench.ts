/** One line of the table: a figure, what it is measured against, and how they compare. */
export interface BenchRow {
  readonly name: string;
  readonly figure: string;
  /** The peer and its figure, measured in the same run; `-` where there is none. */
  readonly peer: string;
  readonly ratio: string;
  /** What it must reach, in words, and whether it did. */
  readonly target?: { readonly text: string; readonly met: boolean };
}

/** What the command line asks for. */
export interface BenchOptions {
  /** Sizes that take a machine of its own. */
  readonly large: boolean;
  /** How long to go on, for what is measured over a time. */
  readonly minutes?: number | undefined;
  /** The `dist/` of another build, which a bench of the real program measures in turn with this one. */
  readonly before?: string | undefined;
}

/** What every file in `bench/` exports as `bench`. */
export interface Bench {
  /** The figure it is about, in one line. */
  readonly about: string;
  /** Yields rows as they are measured. */
  run(options: BenchOptions): AsyncIterable<BenchRow> | Iterable<BenchRow>;
}

/** The middle of the values; of an even number, the upper one of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The median, and between which values all lie. */
export function spread(values: readonly number[], digits: number): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`;
}

const WARM_UP_ROUNDS = 3;

/**
 * Measures several ways of doing the same work, in turn, `rounds` times after a few to warm up, so that whatever
 * else the machine does hits all of them alike. Returns the median of each in ms.
 */
export function alternate<Name extends string>(
  rounds: number,
  ways: Readonly<Record<Name, () => void>>,
): Record<Name, number> {
  // The keys of an object are what its type says: it is written as a literal by the caller.
  const names = Object.keys(ways) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const name of names) {
      const before = performance.now();
      ways[name]();
      if (round >= 0) times.get(name)?.push(performance.now() - before);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])])) as Record<
    Name,
    number
  >;
}
