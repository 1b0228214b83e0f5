const DEFAULT_MS = 300_000;
const LEAST_MS = 1_000;
const MOST_MS = 366 * 86_400_000;

/** The span of a plot as it stands in an address, in seconds. */
export function readSpan(text: string | null): number {
  const ms = Number(text ?? Number.NaN) * 1_000;
  return Number.isFinite(ms) && ms >= LEAST_MS && ms <= MOST_MS ? ms : DEFAULT_MS;
}
