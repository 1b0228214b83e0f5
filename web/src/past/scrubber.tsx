import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { clock } from '../api/clock.ts';
import { momentText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { pastMoment, showMoment } from '../app/location.ts';
import { onKey } from '../app/shortcuts.ts';
import { pastComplaint } from './follow-past.ts';

const HOUR_MS = 3_600_000;
const SPANS = [600_000, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS] as const;
const STEPS = [-60_000, -10_000, -1_000, 1_000, 10_000, 60_000] as const;
/** How far back the first moment is. */
const FIRST_MS = 60_000;

export const goBack = (): void => showMoment(pastMoment.peek() ?? clock.present() - FIRST_MS);
export const goLive = (): void => showMoment(undefined);

/** One hand on the time of the whole page. */
export function Scrubber() {
  useEffect(() => {
    const offs = [onKey('h', goBack), onKey('l', goLive)];
    return () => {
      for (const off of offs) off();
    };
  }, []);
  const span = useSignal<number>(HOUR_MS);
  const at = pastMoment.value;
  if (at === undefined) return null;
  const texts = t().past;
  const now = clock.present();
  const from = Math.min(now - span.value, at);
  const move = (to: number): void => showMoment(Math.min(Math.round(to), clock.present()));
  return (
    <section class="scrubber" aria-label={texts.title}>
      <button type="button" class="primary" id="live" onClick={goLive}>
        {texts.live} <kbd>l</kbd>
      </button>
      <label class="hand">
        <span class="visually-hidden">{texts.moment}</span>
        <input
          type="range"
          min={from}
          max={now}
          step={1_000}
          value={at}
          aria-valuetext={momentText(at)}
          onInput={(event) => move(event.currentTarget.valueAsNumber)}
        />
      </label>
      <time dateTime={new Date(at).toISOString()}>{momentText(at)}</time>
      <span class="steps">
        {STEPS.map((step) => (
          <button key={step} type="button" title={texts.step(step / 1_000)} onClick={() => move(at + step)}>
            {texts.stepText(step / 1_000)}
          </button>
        ))}
      </span>
      <select
        aria-label={t().plot.span}
        value={String(span.value)}
        onChange={(event) => {
          span.value = Number(event.currentTarget.value);
        }}
      >
        {SPANS.map((each) => (
          <option key={each} value={String(each)}>
            {t().plot.spanText(each)}
          </option>
        ))}
      </select>
      {pastComplaint.value !== '' && <p role="alert">{pastComplaint.value}</p>}
    </section>
  );
}
