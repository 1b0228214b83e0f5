import type { PastEvent } from '../api/history.ts';
import { textOf } from '../api/json.ts';

/** A time in which a status held. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly status: string;
  readonly reason: string;
  readonly detail: string;
}

/**
 * The statuses of one axis over a span, one behind the other. What was before the first event of the span is known only
 * where an earlier one is among the events.
 */
export function stretchesOf(
  events: readonly PastEvent[],
  kind: string,
  from: number,
  to: number,
): readonly Stretch[] {
  const found: Stretch[] = [];
  let current: PastEvent | undefined;
  const close = (end: number): void => {
    if (current === undefined) return;
    const begin = Math.max(current.at, from);
    if (end <= begin) return;
    const { status, reason, detail } = current.data;
    const next = { status: textOf(status), reason: textOf(reason), detail: textOf(detail) };
    const last = found.at(-1);
    // The same status with another reason is a stretch of its own.
    if (
      last?.to === begin &&
      last.status === next.status &&
      last.reason === next.reason &&
      last.detail === next.detail
    )
      found[found.length - 1] = { ...last, to: end };
    else found.push({ from: begin, to: end, ...next });
  };
  for (const event of events) {
    if (event.kind !== kind || event.at > to) continue;
    close(event.at);
    current = event;
  }
  close(to);
  return found;
}
