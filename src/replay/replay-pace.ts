/** Longest wait at one time, in ms, so that an end is noticed. */
const LONGEST_WAIT_MS = 200;

/**
 * Paces a replay: `speed` virtual ms go by in each real one. `reached` is called while it waits, so that what is due
 * by then can happen in time.
 */
export function paceBy(
  speed: number,
  reached: (monoMs: number) => void,
  signal: AbortSignal,
): (monoMs: number) => Promise<void> | undefined {
  const startedAt = performance.now();
  const virtualNow = () => (performance.now() - startedAt) * speed;
  async function wait(monoMs: number): Promise<void> {
    for (let now = virtualNow(); now < monoMs && !signal.aborted; now = virtualNow()) {
      reached(now);
      const realMs = Math.min((monoMs - now) / speed, LONGEST_WAIT_MS);
      await new Promise((resolve) => setTimeout(resolve, realMs));
    }
  }
  return (monoMs) => (virtualNow() < monoMs ? wait(monoMs) : undefined);
}
