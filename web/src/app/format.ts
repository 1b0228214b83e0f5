import { computed } from '@preact/signals';
import { locale, t } from './language.ts';

const formats = computed(() => ({
  count: new Intl.NumberFormat(locale.value),
  time: new Intl.DateTimeFormat(locale.value, { timeStyle: 'medium', hourCycle: 'h23' }),
  moment: new Intl.DateTimeFormat(locale.value, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    hourCycle: 'h23',
  }),
  day: new Intl.DateTimeFormat(locale.value, { month: 'short', day: 'numeric' }),
}));

/** A count of things: `1,234`. */
export const countText = (value: number): string => formats.value.count.format(value);
/** A time of day: `14:03:22`. */
export const timeText = (ms: number): string => formats.value.time.format(ms);
/** A moment with its date. */
export const momentText = (ms: number): string => formats.value.moment.format(ms);
export const dayText = (ms: number): string => formats.value.day.format(ms);

/** How long something has lasted, as people say it: `41 s`, `3 min`, `2 h 5 min`. */
export function spanText(ms: number): string {
  const { units } = t();
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} ${units.s}`;
  if (s < 3600) return `${Math.floor(s / 60)} ${units.min}`;
  if (s < 86_400) return twoParts(Math.floor(s / 3600), units.h, Math.floor((s % 3600) / 60), units.min);
  return twoParts(Math.floor(s / 86_400), units.d, Math.floor((s % 86_400) / 3600), units.h);
}

const twoParts = (great: number, unit: string, small: number, smaller: string): string =>
  small === 0 ? `${great} ${unit}` : `${great} ${unit} ${small} ${smaller}`;

/** A measured time: `1.8 ms`, `502 ms`, `12.34 s`. */
export function durationText(ms: number): string {
  const { units } = t();
  if (ms < 10) return `${ms.toFixed(1)} ${units.ms}`;
  if (ms < 1_000) return `${Math.round(ms)} ${units.ms}`;
  return ms < 600_000 ? `${(ms / 1000).toFixed(2)} ${units.s}` : spanText(ms);
}
