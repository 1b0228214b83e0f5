import { type FieldHistory, fieldHistoryOf } from './field-history.ts';
import { getJson } from './http.ts';

import { isNumber, isObject, type JsonObject, listOf, textOf } from './json.ts';

export type { FieldHistory, Gap, Point } from './field-history.ts';

export interface PastEvent {
  readonly at: number;
  /** Rises as events are written, also where the clock was set back. */
  readonly n: number;
  readonly device: string;
  readonly kind: string;
  readonly data: JsonObject;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * What a field said within a span; of more points than that, thinned ones.
 *
 * @throws HttpError where there is no history, or none of that field
 */
export async function pastValues(
  device: string,
  field: string,
  { from, to }: Span,
  points = 500,
  signal?: AbortSignal,
): Promise<FieldHistory> {
  const query = { device, field, from: Math.floor(from), to: Math.ceil(to), points };
  const answer = await getJson('/api/history/values', query, signal);
  return fieldHistoryOf(answer);
}

/** What happened, the oldest first. */
export async function pastEvents(
  query: Span & { readonly device?: string; readonly kind?: string; readonly limit?: number },
  signal?: AbortSignal,
): Promise<readonly PastEvent[]> {
  const { from, to, ...more } = query;
  const answer = await getJson(
    '/api/history/events',
    { ...more, from: Math.floor(from), to: Math.ceil(to) },
    signal,
  );
  return listOf(isObject(answer) ? answer.events : undefined).flatMap((each): PastEvent[] => {
    if (!isObject(each) || !isNumber(each.at)) return [];
    const { at, n, device, kind, ...data } = each;
    return [{ at, n: isNumber(n) ? n : 0, device: textOf(device), kind: textOf(kind), data }];
  });
}

export interface PastField {
  readonly field: string;
  /** It holds texts, which are kept when they change. */
  readonly isText: boolean;
}

/** The fields of a device that the history knows. */
export async function pastFields(device: string, signal?: AbortSignal): Promise<readonly PastField[]> {
  const answer = await getJson('/api/history/devices', { device }, signal);
  const [entry] = listOf(isObject(answer) ? answer.devices : undefined);
  const fields = listOf(isObject(entry) ? entry.fields : undefined);
  return fields.flatMap((each) =>
    isObject(each) && typeof each.field === 'string'
      ? [{ field: each.field, isText: each.type === 'text' }]
      : [],
  );
}
