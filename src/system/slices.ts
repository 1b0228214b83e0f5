/** The loop is held for so long at most before others have their turn. */
const SLICE_MS = 2;

/**
 * Does work in slices, with a turn of the loop between them. `steps` yields wherever it may be interrupted; what fits
 * into one slice is done at once, and its result is returned without a promise.
 */
export function inSlices<T>(steps: Iterator<unknown, T>): T | Promise<T> {
  const first = slice(steps);
  return 'value' in first ? first.value : otherSlices(steps);
}

/** Does all of the work at once. */
export function atOnce<T>(steps: Iterator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** For work that waits in between anyway: `pause` gives others their turn where the present slice is over. */
export class Slices {
  #endMs = performance.now() + SLICE_MS;

  async pause(): Promise<void> {
    if (performance.now() < this.#endMs) return;
    await turn();
    this.#endMs = performance.now() + SLICE_MS;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function otherSlices<T>(steps: Iterator<unknown, T>): Promise<T> {
  for (;;) {
    await turn();
    const next = slice(steps);
    if ('value' in next) return next.value;
  }
}

function slice<T>(steps: Iterator<unknown, T>): { readonly value: T } | Record<never, never> {
  const endMs = performance.now() + SLICE_MS;
  do {
    const step = steps.next();
    if (step.done) return { value: step.value };
  } while (performance.now() < endMs);
  return {};
}
