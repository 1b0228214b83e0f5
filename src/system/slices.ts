/** The loop is held for so long at most before others have their turn. */
const SLICE_MS = 1;

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

/** Elements that are compared between two places where sorting may be interrupted. */
const SORT_STRIDE = 256;

/** The same as `toSorted()` of strings, by their code units; yields wherever it may be interrupted. */
export function* sortSteps(texts: readonly string[]): Generator<undefined, readonly string[]> {
  let runs: string[][] = [];
  for (let at = 0; at < texts.length; at += SORT_STRIDE) {
    runs.push(texts.slice(at, at + SORT_STRIDE).sort());
    yield;
  }
  while (runs.length > 1) {
    const longer: string[][] = [];
    for (let at = 0; at < runs.length; at += 2)
      longer.push(yield* merged(runs[at] ?? [], runs[at + 1] ?? []));
    runs = longer;
  }
  return runs[0] ?? [];
}

function* merged(left: readonly string[], right: readonly string[]): Generator<undefined, string[]> {
  const all: string[] = [];
  for (let [l, r] = [0, 0]; l < left.length || r < right.length; ) {
    const [a, b] = [left[l], right[r]];
    if (b === undefined || (a !== undefined && a <= b)) {
      all.push(a ?? '');
      l++;
    } else {
      all.push(b);
      r++;
    }
    if (all.length % SORT_STRIDE === 0) yield;
  }
  return all;
}
