import type { TraceEvent } from './event.ts';

/** Silence that ends a burst where neither the trace nor anything else says how long it is, in ms: as on live links. */
export const defaultSilenceMs = (transport: string | undefined): number =>
  transport === 'serial' ? 50 : 200;

interface Burst {
  readonly direction: 'in' | 'out';
  readonly lastUs: number;
}

/**
 * Finds by the times of a trace where its connections fell silent, and puts `idle` there: behind bytes that nothing
 * follows for the gap, and where the other side begins to talk. A trace that says so itself is left as it is.
 */
export class Silences {
  readonly #gapUs: number;
  #marked: boolean;
  /** Connections that have talked since they were silent, the one that has been quiet the longest first. */
  readonly #bursts = new Map<string, Burst>();

  /** `marked`: the trace is known to have `idle` lines of its own. */
  constructor(gapMs: number, marked = false) {
    this.#gapUs = gapMs * 1_000;
    this.#marked = marked;
  }

  /** The event, behind the silences before it. */
  take(event: TraceEvent): TraceEvent[] {
    const { atUs, connection, fact } = event;
    if (fact.kind === 'life' && fact.word === 'idle') {
      // The live link has seen it; whatever the times say beside it is less certain.
      this.#marked = true;
      this.#bursts.clear();
    }
    if (this.#marked) return [event];
    const found: TraceEvent[] = [];
    for (const [name, { lastUs }] of this.#bursts) {
      if (lastUs + this.#gapUs > atUs) break;
      found.push(this.#silence(name, lastUs + this.#gapUs));
    }
    if (fact.kind === 'in' || fact.kind === 'out') {
      const burst = this.#bursts.get(connection);
      if (burst !== undefined && burst.direction !== fact.kind) found.push(this.#silence(connection, atUs));
      this.#bursts.delete(connection);
      this.#bursts.set(connection, { direction: fact.kind, lastUs: atUs });
    } else if (fact.kind === 'life') {
      this.#bursts.delete(connection);
    }
    found.push(event);
    return found;
  }

  /** The silences behind the last event. */
  finish(): TraceEvent[] {
    return [...this.#bursts].map(([name, { lastUs }]) => this.#silence(name, lastUs + this.#gapUs));
  }

  #silence(connection: string, atUs: number): TraceEvent {
    this.#bursts.delete(connection);
    return { atUs, connection, fact: { kind: 'life', word: 'idle', detail: '' }, line: 0 };
  }
}

/** Whether events say themselves where a line fell silent. */
export const markSilence = (events: readonly TraceEvent[]): boolean =>
  events.some(({ fact }) => fact.kind === 'life' && fact.word === 'idle');

/** The same for a whole trace. */
export function withSilences(events: readonly TraceEvent[], gapMs: number): readonly TraceEvent[] {
  const silences = new Silences(gapMs, markSilence(events));
  return [...events.flatMap((event) => silences.take(event)), ...silences.finish()];
}

/** The same for a trace that is read piece by piece. `found` is called once, when the first silence is added. */
export async function* addSilences(
  pieces: AsyncIterable<readonly TraceEvent[]>,
  gapMs: number,
  found: () => void = () => undefined,
): AsyncGenerator<readonly TraceEvent[]> {
  let silences: Silences | undefined;
  let added = false;
  const note = (before: number, after: readonly TraceEvent[]): readonly TraceEvent[] => {
    if (!added && after.length > before) {
      added = true;
      found();
    }
    return after;
  };
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    // A trace that has such lines has one behind its first burst.
    silences ??= new Silences(gapMs, markSilence(piece));
    const finder = silences;
    yield note(
      piece.length,
      piece.flatMap((event) => finder.take(event)),
    );
  }
  if (silences !== undefined) yield note(0, silences.finish());
}
