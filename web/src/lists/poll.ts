import { useSignal, useSignalEffect } from '@preact/signals';
import { feed } from '../api/feed.ts';

/** What was asked for, or why it cannot be had. */
export interface Answered<T> {
  readonly value: T | undefined;
  readonly problem: string;
}

/** Asks while it is shown and the bridge is there, every so many ms; what came last stays while the bridge is away. */
export function usePolled<T>(ask: (signal: AbortSignal) => Promise<T>, everyMs: number): Answered<T> {
  const answered = useSignal<Answered<T>>({ value: undefined, problem: '' });
  useSignalEffect(() => {
    if (feed.phase.value !== 'live') return undefined;
    const stop = new AbortController();
    const once = async (): Promise<void> => {
      try {
        answered.value = { value: await ask(stop.signal), problem: '' };
      } catch (cause) {
        if (stop.signal.aborted) return;
        const problem = cause instanceof Error ? cause.message : String(cause);
        answered.value = { value: answered.peek().value, problem };
      }
      if (!stop.signal.aborted) setTimeout(once, everyMs);
    };
    void once();
    return () => stop.abort();
  });
  return answered.value;
}
