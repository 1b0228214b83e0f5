import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Inspected } from '../../../src/inspection/browser.ts';
import { timeText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { isTrouble } from './filter.ts';
import { kindWord } from './frame-detail.tsx';
import type { Record } from './record.ts';
import { hexOf, kindOf, nameOf, summaryOf } from './words.ts';

const ROW = 26;
/** Rows drawn beyond the edges. */
const SPARE = 12;
const SHOWN_BYTES = 20;

interface Props {
  readonly record: Record;
  /** The end is kept in view while more comes. */
  readonly follows: boolean;
  readonly onScrolledBack: () => void;
}

/** All entries that the filter lets through; only those in view are drawn. */
export function FrameList({ record, follows, onScrolledBack }: Props) {
  const texts = t().frames;
  const box = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const height = useSignal(600);
  const window = useComputed(() => {
    const count = record.shown.value.length;
    const from = Math.max(0, Math.floor(top.value / ROW) - SPARE);
    return { count, from, to: Math.min(count, Math.ceil((top.value + height.value) / ROW) + SPARE) };
  });
  useEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useSignalEffect(() => {
    const { count } = window.value;
    const element = box.current;
    if (follows && element !== null) {
      requestAnimationFrame(() => {
        element.scrollTop = count * ROW;
      });
    }
  });
  // What is chosen by the scrubber or the keys comes into view.
  useSignalEffect(() => {
    const chosen = record.chosen.value;
    const element = box.current;
    if (chosen === undefined || element === null) return;
    const index = indexOf(record.shown.peek(), chosen);
    const y = index * ROW;
    if (y < element.scrollTop + ROW) element.scrollTop = Math.max(0, y - ROW * 2);
    else if (y + ROW * 2 > element.scrollTop + element.clientHeight)
      element.scrollTop = y - element.clientHeight + ROW * 3;
  });
  const move = (by: number): void => {
    const shown = record.shown.peek();
    const at = record.chosen.peek() === undefined ? -1 : indexOf(shown, record.chosen.peek() ?? 0);
    const next = Math.min(Math.max(at + by, 0), shown.length - 1);
    if (shown[next] !== undefined) record.chosen.value = shown[next];
  };
  const { count, from, to } = window.value;
  const chosen = record.chosen.value;
  return (
    <div
      ref={box}
      class="frames-list"
      role="listbox"
      aria-label={texts.list}
      aria-activedescendant={chosen === undefined ? undefined : `frame-${chosen}`}
      tabIndex={0}
      onScroll={(event) => {
        const element = event.currentTarget;
        if (element.scrollTop < top.peek() - 2) onScrolledBack();
        top.value = element.scrollTop;
      }}
      onKeyDown={(event) => {
        const by = MOVES[event.key];
        if (by === undefined) return;
        event.preventDefault();
        onScrolledBack();
        move(by);
      }}
    >
      <div class="pad" style={{ height: `${count * ROW}px` }} role="presentation">
        <div class="rows" style={{ transform: `translateY(${from * ROW}px)` }} role="presentation">
          {record.shown.value.slice(from, to).map((number) => (
            <Row key={number} record={record} number={number} chosen={number === chosen} />
          ))}
        </div>
      </div>
    </div>
  );
}

const MOVES: Readonly<{ [key: string]: number }> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 20,
  PageUp: -20,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** Where a number stands in an ascending list, or would. */
export function indexOf(numbers: readonly number[], wanted: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface RowProps {
  readonly record: Record;
  readonly number: number;
  readonly chosen: boolean;
}

function Row({ record, number, chosen }: RowProps) {
  const item = record.item(number);
  if (item === undefined) return null;
  const kind = kindOf(item);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
    <div
      id={`frame-${number}`}
      role="option"
      aria-selected={chosen}
      class={`row${isTrouble(item) ? ' trouble' : ''}`}
      data-kind={item.kind}
      onClick={() => {
        record.chosen.value = number;
      }}
    >
      <span class="at num">{momentOf(item, record)}</span>
      <Arrow item={item} />
      <span class="name">{nameOf(item)}</span>
      <span class="kind" data-kind={kind}>
        {kindWord(kind)}
      </span>
      <span class="mono bytes">
        {'bytes' in item
          ? hexOf(item.bytes, SHOWN_BYTES, ' ') + (item.bytes.length > SHOWN_BYTES ? ' …' : '')
          : ''}
      </span>
      <span class="said">{summaryOf(item)}</span>
    </div>
  );
}

function Arrow({ item }: { readonly item: Inspected }) {
  const texts = t().frames;
  const direction = 'direction' in item ? item.direction : undefined;
  const [sign, word] =
    direction === 'in' ? ['◂', texts.in] : direction === 'out' ? ['▸', texts.out] : ['·', ''];
  return (
    <span class={`way ${direction ?? 'none'}`} title={word}>
      <span aria-hidden="true">{sign}</span>
      <span class="visually-hidden">{word}</span>
    </span>
  );
}

/** The time of day with its milliseconds; seconds since the start where the wall clock of a file is not known. */
export function momentOf({ atUs }: Inspected, record: Record): string {
  const { startMs } = record.head.value;
  const ms = Math.floor(atUs / 1_000);
  if (startMs < 86_400_000) return (atUs / 1e6).toFixed(3);
  const at = startMs + ms;
  return `${timeText(at)}.${String(at % 1_000).padStart(3, '0')}`;
}
