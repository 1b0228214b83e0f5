import { useComputed } from '@preact/signals';
import { t } from '../app/language.ts';
import { isTrouble } from './filter.ts';
import { indexOf, momentOf } from './frame-list.tsx';
import type { Record } from './record.ts';

const COLUMNS = 240;

/** Moves through a file by its times, over a picture of where how much is, and where the trouble is. */
export function Scrubber({ record }: { readonly record: Record }) {
  const texts = t().frames;
  const picture = useComputed(() => pictureOf(record));
  const numbers = record.shown.value;
  const last = record.item(numbers.at(-1));
  if (last === undefined || numbers.length < 2) return null;
  const chosen = record.item(record.chosen.value);
  const at = chosen?.atUs ?? 0;
  const { heights, troubles } = picture.value;
  return (
    <div class="file-scrubber">
      <svg viewBox={`0 0 ${COLUMNS} 24`} preserveAspectRatio="none" aria-hidden="true">
        <path class="amount" d={bars(heights)} />
        <path class="amiss" d={bars(troubles)} />
      </svg>
      <input
        type="range"
        min={0}
        max={Math.max(1, last.atUs)}
        step="any"
        value={at}
        aria-label={texts.scrubber}
        aria-valuetext={chosen === undefined ? '' : momentOf(chosen, record)}
        onInput={(event) => {
          record.chosen.value = numberAt(record, Number(event.currentTarget.value));
        }}
        onKeyDown={(event) => {
          // From entry to entry: times have no steps of their own.
          const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
          if (by === 0) return;
          event.preventDefault();
          const index = indexOf(numbers, record.chosen.value ?? -1);
          record.chosen.value = numbers[Math.min(Math.max(index + by, 0), numbers.length - 1)];
        }}
      />
      <output class="num">{chosen === undefined ? '' : momentOf(chosen, record)}</output>
    </div>
  );
}

/** The entry that is shown at a time, or the next one. */
function numberAt(record: Record, atUs: number): number | undefined {
  const numbers = record.shown.peek();
  let low = 0;
  let high = numbers.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((record.item(numbers[middle])?.atUs ?? 0) < atUs) low = middle + 1;
    else high = middle;
  }
  return numbers[low];
}

function pictureOf(record: Record): {
  readonly heights: readonly number[];
  readonly troubles: readonly number[];
} {
  const numbers = record.shown.value;
  const lastUs = record.item(numbers.at(-1))?.atUs ?? 0;
  const all = new Array<number>(COLUMNS).fill(0);
  const troubles = new Array<number>(COLUMNS).fill(0);
  for (const number of numbers) {
    const item = record.item(number);
    if (item === undefined) continue;
    const column = Math.min(COLUMNS - 1, Math.floor((item.atUs / Math.max(1, lastUs)) * COLUMNS));
    all[column] = (all[column] ?? 0) + 1;
    if (isTrouble(item)) troubles[column] = (troubles[column] ?? 0) + 1;
  }
  const most = Math.max(1, ...all);
  const height = (count: number): number => (count === 0 ? 0 : Math.max(2, Math.round((24 * count) / most)));
  return { heights: all.map(height), troubles: troubles.map(height) };
}

const bars = (heights: readonly number[]): string =>
  heights.map((height, x) => (height === 0 ? '' : `M${x} 24h1v-${height}h-1z`)).join('');
