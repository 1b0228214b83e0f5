const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `250ms`, `1.5s`, `15m`, `24h`, `30d` in ms, rounded; undefined for anything else, a bare number included. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,12}(?:\.\d{1,9})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  for (const [name, factor] of Object.entries(UNITS_MS)) {
    if (name === unit) return Math.round(Number(amount) * factor);
  }
  return undefined;
}

/** The duration in the largest unit that gives a whole number: `90s`, `24h`. */
export function formatDuration(ms: number): string {
  const fit = (['h', 'm', 's'] as const).find((unit) => ms % UNITS_MS[unit] === 0 && ms > 0) ?? 'ms';
  return `${ms / UNITS_MS[fit]}${fit}`;
}

/** A duration that has passed the shape, in ms. */
export function durationMs(text: string): number {
  return parseDuration(text) ?? 0;
}
