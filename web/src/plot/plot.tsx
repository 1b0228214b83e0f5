import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { clock } from '../api/clock.ts';
import { devices } from '../api/devices.ts';
import { describedAt, nameOfField, scaledText } from '../api/fields.ts';
import { pastValues } from '../api/history.ts';
import { HttpError } from '../api/http.ts';
import { momentText } from '../app/format.ts';
import { locale, t } from '../app/language.ts';
import { pastMoment } from '../app/location.ts';
import { theme } from '../app/settings.ts';
import { csvRow, fileName } from '../parts/csv.ts';
import { Icon } from '../parts/icon.tsx';
import { saveText } from '../parts/save.ts';
import { COLORS, Drawing, HEIGHT, type Shown } from './drawing.ts';
import { followValue } from './live-values.ts';
import { aligned, Series } from './series.ts';

export type { Shown } from './drawing.ts';

import './plot.css';

export const SPANS = [60_000, 300_000, 900_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000] as const;
/** Redrawn at most so often. */
const DRAW_MS = 100;
const FETCH_AFTER_MS = 250;

const keyOf = ({ device, path }: Shown): string => `${device} ${path}`;

interface Props {
  readonly shown: readonly Shown[];
  readonly spanMs: number;
  readonly onSpan: (spanMs: number) => void;
  readonly onRemove?: ((shown: Shown) => void) | undefined;
}

/** Fields of devices over time: live, or any span of the past. */
export function Plot({ shown, spanMs, onSpan, onRemove }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const series = useRef(new Map<string, Series>());
  /** The end of the span that is shown; undefined: it goes with the present. */
  const end = useSignal<number | undefined>(undefined);
  const complaint = useSignal('');
  const cursor = useSignal<number | undefined>(undefined);
  const dirty = useSignal(0);
  const key = shown.map(keyOf).join('\n');
  // Units and limits come a moment after the first value.
  const units = shown
    .map((one) => JSON.stringify(describedAt(devices.get(one.device)?.declaration, one.path)))
    .join();

  useEffect(() => {
    const kept = series.current;
    for (const each of [...kept.keys()]) if (!shown.some((one) => keyOf(one) === each)) kept.delete(each);
    const offs = shown.map((one) => {
      const line = kept.get(keyOf(one)) ?? new Series();
      kept.set(keyOf(one), line);
      return followValue(one.device, one.path, (at, value) => {
        line.add(at, value);
        dirty.value = dirty.peek() + 1;
      });
    });
    return () => {
      for (const off of offs) off();
    };
  }, [key]);

  // The moment of the time machine is the end of what is plotted.
  useSignalEffect(() => {
    end.value = pastMoment.value;
  });

  useEffect(() => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const fetchSpan = async (): Promise<void> => {
      const to = end.peek() ?? clock.present();
      const span = { from: to - spanMs, to };
      const points = Math.max(200, Math.min(2_000, box.current?.clientWidth ?? 800));
      await Promise.all(
        shown.map(async (one) => {
          const found = await pastValues(one.device, one.path, span, points, controller.signal);
          series.current.get(keyOf(one))?.takeHistory(found, span.from, span.to);
        }),
      );
      complaint.value = '';
      dirty.value = dirty.peek() + 1;
    };
    const ask = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        fetchSpan().catch((error: unknown) => {
          if (controller.signal.aborted) return;
          complaint.value =
            error instanceof HttpError && error.status === 404 && error.code !== 'field_unknown'
              ? t().plot.noHistory
              : error instanceof Error && !(error instanceof HttpError && error.status === 404)
                ? error.message
                : '';
        });
      }, FETCH_AFTER_MS);
    };
    let before: number | undefined = Number.NaN;
    const off = end.subscribe((now) => {
      if (Object.is(now, before)) return;
      before = now;
      ask();
    });
    return () => {
      off();
      clearTimeout(timer);
      controller.abort();
    };
  }, [key, spanMs]);

  useEffect(() => {
    const host = box.current;
    if (host === null || shown.length === 0) return undefined;
    const drawing = new Drawing(host, shown, (moved) => {
      end.value = moved >= clock.present() ? undefined : moved;
    });
    drawing.onCursor = (at) => {
      cursor.value = at;
    };
    drawing.onZoom = (from, to) => {
      end.value = to;
      onSpan(Math.max(1_000, to - from));
    };
    let drawnAt = 0;
    let timer = 0;
    const draw = (): void => {
      timer = 0;
      drawnAt = performance.now();
      const to = end.peek() ?? clock.now();
      drawing.draw(
        shown.map((one) => series.current.get(keyOf(one)) ?? new Series()),
        to - spanMs,
        to,
        clock.now(),
      );
    };
    const ask = (): void => {
      if (timer !== 0) return;
      const wait = Math.max(0, DRAW_MS - (performance.now() - drawnAt));
      timer = window.setTimeout(() => requestAnimationFrame(draw), wait);
    };
    const offs = [dirty.subscribe(ask), end.subscribe(ask), clock.tick.subscribe(ask)];
    const resized = new ResizeObserver(() => drawing.resize());
    resized.observe(host);
    return () => {
      for (const off of offs) off();
      clearTimeout(timer);
      resized.disconnect();
      drawing.destroy();
    };
  }, [key, units, spanMs, theme.value, locale.value]);

  const texts = t().plot;
  const paused = end.value !== undefined;
  const now = cursor.value;
  const move = (by: number): void => {
    const to = (end.peek() ?? clock.present()) + by * spanMs;
    end.value = to >= clock.present() ? undefined : to;
  };
  return (
    <section class="plot card" aria-label={texts.title}>
      <div class="plot-tools">
        <button
          type="button"
          aria-pressed={paused}
          onClick={() => (end.value = paused ? undefined : clock.present())}
        >
          <Icon name={paused ? 'play' : 'pause'} />
          {paused ? texts.live : texts.pause}
        </button>
        <button type="button" aria-label={texts.back} title={texts.back} onClick={() => move(-0.5)}>
          ←
        </button>
        <button
          type="button"
          aria-label={texts.forward}
          title={texts.forward}
          disabled={!paused}
          onClick={() => move(0.5)}
        >
          →
        </button>
        <label>
          <span class="quiet">{texts.span}</span>{' '}
          <select value={String(spanMs)} onChange={(event) => onSpan(Number(event.currentTarget.value))}>
            {[...new Set([...SPANS, spanMs])]
              .sort((a, b) => a - b)
              .map((each) => (
                <option key={each} value={String(each)}>
                  {texts.spanText(each)}
                </option>
              ))}
          </select>
        </label>
        <span class="quiet when">
          {now === undefined ? paused && texts.until(momentText(end.value ?? 0)) : momentText(now)}
        </span>
        <button type="button" onClick={() => saveCsv(shown, series.current)}>
          <Icon name="save" /> CSV
        </button>
      </div>
      <ul class="legend">
        {shown.map((one, index) => (
          <LegendEntry
            key={keyOf(one)}
            one={one}
            index={index}
            line={series.current.get(keyOf(one))}
            at={now}
            version={dirty.value}
            onRemove={onRemove}
          />
        ))}
      </ul>
      {complaint.value !== '' && (
        <p class="quiet" role="status">
          {complaint.value}
        </p>
      )}
      <div ref={box} class="plot-box" style={{ minHeight: `${HEIGHT}px` }} />
      <p class="quiet hint">{texts.hint}</p>
    </section>
  );
}

interface LegendProps {
  readonly one: Shown;
  readonly index: number;
  readonly line: Series | undefined;
  readonly at: number | undefined;
  readonly version: number;
  readonly onRemove: ((shown: Shown) => void) | undefined;
}

/** The name of a line, with its value where the cursor is, or its last one. */
function LegendEntry({ one, index, line, at, onRemove }: LegendProps) {
  const { declaration, name } = devices.get(one.device) ?? { declaration: undefined, name: one.device };
  const { unit, decimals } = describedAt(declaration, one.path);
  const value = line === undefined ? undefined : valueAtTime(line, at);
  return (
    <li>
      <span
        class="swatch"
        data-series={(index % COLORS) + 1}
        data-dash={Math.floor(index / COLORS)}
        aria-hidden="true"
      />
      <span class="quiet" title={one.device}>
        {name}
      </span>{' '}
      {nameOfField(declaration, one.path)} <b>{value === undefined ? '–' : scaledText(value, decimals)}</b>{' '}
      {unit}
      {onRemove !== undefined && (
        <button
          type="button"
          class="plain small"
          aria-label={t().plot.remove(one.path)}
          onClick={() => onRemove(one)}
        >
          <Icon name="close" />
        </button>
      )}
    </li>
  );
}

/** The value that held at a moment; none within a gap. */
export function valueAtTime(line: Series, at: number | undefined): number | undefined {
  const { times, values } = line.drawn();
  if (at === undefined) return values.at(-1) ?? undefined;
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return values[low - 1] ?? undefined;
}

function saveCsv(shown: readonly Shown[], series: ReadonlyMap<string, Series>): void {
  const drawn = shown.map((one) => series.get(keyOf(one))?.drawn() ?? new Series().drawn());
  const { times, values } = aligned(drawn);
  const names = shown.map((one) => {
    const { unit } = describedAt(devices.get(one.device)?.declaration, one.path);
    return `${one.device} ${one.path}${unit === '' ? '' : ` [${unit}]`}`;
  });
  const rows = times.map((at, index) =>
    csvRow([new Date(at).toISOString(), ...values.map((column) => column[index] ?? undefined)]),
  );
  const about = shown.map(({ device }) => device).filter((each, at, all) => all.indexOf(each) === at);
  saveText(
    fileName(about.join('+'), clock.present(), 'csv'),
    `${[csvRow(['time', ...names]), ...rows].join('\r\n')}\r\n`,
    'text/csv',
  );
}
