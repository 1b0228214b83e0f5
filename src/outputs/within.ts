/**
 * Runs one piece of work with a signal of its own, which aborts after `ms` and together with `outer`. Nothing of it is
 * left at `outer`, which lives as long as the output: `AbortSignal.any` leaves some bytes there each time.
 */
export async function within<T>(
  outer: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const end = (): void => own.abort(outer.reason);
  const late = setTimeout(() => own.abort(new Error(`There was no answer within ${ms / 1_000} s.`)), ms);
  outer.addEventListener('abort', end, { once: true });
  if (outer.aborted) end();
  try {
    return await work(own.signal);
  } catch (error) {
    // Those that obey a signal say only that it was aborted.
    throw own.signal.aborted ? own.signal.reason : error;
  } finally {
    clearTimeout(late);
    outer.removeEventListener('abort', end);
  }
}
