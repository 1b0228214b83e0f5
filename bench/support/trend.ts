/** A straight line through a series, and how far its slope may be off by chance. */
export interface Trend {
  /** Per unit of `at`. */
  readonly slope: number;
  /** Two standard errors of the slope. */
  readonly noise: number;
  readonly mean: number;
}

export interface Point {
  readonly at: number;
  readonly value: number;
}

/**
 * Least squares. Samples of a process resemble the ones before them, so there is less to know from them than their
 * number says: the standard error is that of the number of independent samples, by the correlation of each residual
 * with the next one.
 */
export function trend(points: readonly Point[]): Trend {
  const count = points.length;
  const mean = average(points.map(({ value }) => value));
  if (count < 3) return { slope: 0, noise: Number.POSITIVE_INFINITY, mean };
  const middle = average(points.map(({ at }) => at));
  let spread = 0;
  let together = 0;
  for (const { at, value } of points) {
    spread += (at - middle) ** 2;
    together += (at - middle) * (value - mean);
  }
  const slope = together / spread;
  const residuals = points.map(({ at, value }) => value - mean - slope * (at - middle));
  const squares = residuals.reduce((sum, each) => sum + each ** 2, 0);
  const next = residuals.slice(1).reduce((sum, each, index) => sum + each * (residuals[index] ?? 0), 0);
  const correlation = squares === 0 ? 0 : Math.min(Math.max(next / squares, 0), 0.95);
  const independent = Math.max((count * (1 - correlation)) / (1 + correlation), 3);
  const deviation = Math.sqrt(squares / (independent - 2) / (spread / count) / independent);
  return { slope, noise: 2 * deviation, mean };
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, each) => sum + each, 0) / Math.max(values.length, 1);
