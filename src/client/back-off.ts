export interface BackOff {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** Full jitter: any time up to a bound that doubles with each attempt, so that many clients do not come back as a herd. */
export function backOffMs({ firstMs, mostMs }: BackOff, attempt: number, random: number): number {
  return random * Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30));
}
