import { computed } from '@preact/signals';
import { route, setQuery } from '../app/location.ts';

/** The moment that the whole page shows, in ms since the epoch; undefined: the present. */
export const pastMoment = computed<number | undefined>(() => {
  const text = route.value.query.get('at');
  if (text === null) return undefined;
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(at) ? at : undefined;
});

/** Shows a moment of the past, or the present. */
export function showMoment(at: number | undefined): void {
  setQuery({ at: at === undefined ? undefined : new Date(at).toISOString() });
}
