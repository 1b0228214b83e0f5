import { computed, signal } from '@preact/signals';
import { hashOf, parseRoute, type QueryValue } from './routes.ts';

const hash = signal(location.hash);
addEventListener('hashchange', () => {
  hash.value = location.hash;
});

/** `/inspect` of a bridge is the same page, opened at its inspector. */
const START = /\/inspect\/?$/.test(location.pathname) ? '/inspect' : '/';

/** Where the page is. */
export const route = computed(() => {
  const parsed = parseRoute(hash.value);
  return hash.value.length <= 1 && START !== '/' ? { ...parsed, path: START } : parsed;
});

/** Goes to a place; what of the query outlives places (the moment that is shown) stays. */
export function navigate(path: string, query: Readonly<Record<string, QueryValue>> = {}): void {
  location.hash = hashOf(path, { ...lasting(), ...query });
}

/** The address of a place, for links. */
export function href(path: string, query: Readonly<Record<string, QueryValue>> = {}): string {
  return hashOf(path, { ...lasting(), ...query });
}

/** Changes parts of the query in place, without a step in the history of the browser. */
export function setQuery(changes: Readonly<Record<string, QueryValue>>): void {
  const { path, query } = route.value;
  const next = { ...Object.fromEntries(query), ...changes };
  const text = hashOf(path, next);
  if (text === location.hash) return;
  history.replaceState(history.state, '', text);
  hash.value = text;
}

/** A part of the query; empty where it is not there. */
export function queryOf(key: string): string {
  return route.value.query.get(key) ?? '';
}

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

const DEFAULT_SPAN_MS = 300_000;
const LEAST_SPAN_MS = 1_000;
const MOST_SPAN_MS = 366 * 86_400_000;

/** The span of a plot, which stands in the query in seconds. */
export function plotSpan(): number {
  const ms = Number(route.value.query.get('span') ?? Number.NaN) * 1_000;
  return Number.isFinite(ms) && ms >= LEAST_SPAN_MS && ms <= MOST_SPAN_MS ? ms : DEFAULT_SPAN_MS;
}

function lasting(): Readonly<Record<string, QueryValue>> {
  return { at: route.value.query.get('at') ?? undefined };
}
