import { clock } from '../api/clock.ts';
import { durationText, momentText, spanText } from '../app/format.ts';
import { t } from '../app/language.ts';

export { durationText };

/** How long something has been so; goes on with the clock of the bridge. */
export function AgeFor({ since }: { readonly since: number | undefined }) {
  if (since === undefined) return <span class="age quiet" />;
  void clock.tick.value;
  return (
    <span class="age quiet" title={t().age.since(momentText(since))}>
      {t().age.for(spanText(clock.now() - since))}
    </span>
  );
}

/** How long ago something was. */
export function Ago({ at }: { readonly at: number | undefined }) {
  if (at === undefined) return <>–</>;
  void clock.tick.value;
  return <span title={momentText(at)}>{t().age.ago(spanText(clock.now() - at))}</span>;
}

/** How long until something is tried again. */
export function Countdown({ at }: { readonly at: number | undefined }) {
  if (at === undefined) return null;
  void clock.tick.value;
  return <span class="countdown">{t().age.retry(Math.max(0, Math.ceil((at - clock.now()) / 1000)))}</span>;
}

/** A sign of life is seen for so long. */
const LIT_MS = 1_000;

/** Beats once for each sign of life; with an animation only where that is wanted. */
export function Pulse({ at }: { readonly at: number | undefined }) {
  void clock.tick.value;
  const lit = at !== undefined && clock.now() - at < LIT_MS;
  return (
    <i key={at} class={at === undefined ? 'pulse none' : lit ? 'pulse lit' : 'pulse'} aria-hidden="true" />
  );
}
