import { signal } from '@preact/signals';
import type { ByteRange } from '../../../src/inspection/browser.ts';

/** The bytes that light up, and the field that does; one place sets both, whichever of them is pointed at. */
export interface Lit extends ByteRange {
  /** Index of the field among those of the frame; absent where the bytes belong to none. */
  readonly field?: number | undefined;
}

export const lit = signal<Lit | undefined>(undefined);

interface Ranged extends ByteRange {
  readonly depth: number;
}

/** The innermost field that holds a byte: of several around it, the deepest, and the shortest of those. */
export function fieldAt(fields: readonly Ranged[], at: number): number | undefined {
  let found: number | undefined;
  for (const [index, { start, end, depth }] of fields.entries()) {
    if (at < start || at >= end) continue;
    const best = found === undefined ? undefined : fields[found];
    if (best === undefined || depth > best.depth || end - start < best.end - best.start) found = index;
  }
  return found;
}
