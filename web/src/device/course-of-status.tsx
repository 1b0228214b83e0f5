import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { clock } from '../api/clock.ts';
import { type Device, devices } from '../api/devices.ts';
import { nameOfField } from '../api/fields.ts';
import { type PastEvent, pastEvents } from '../api/history.ts';
import { HttpError } from '../api/http.ts';
import { isNumber, textOf } from '../api/json.ts';
import { valueText, words } from '../api/values.ts';
import { momentText, spanText, timeText } from '../app/format.ts';
import { t } from '../app/language.ts';
import { pastMoment, showMoment } from '../app/location.ts';
import { because, linkWord, qualityWord, StatusBadge, statusWord } from '../parts/status.tsx';
import { type Stretch, stretchesOf } from './timeline.ts';

const DAY_MS = 86_400_000;
const SPANS = [3_600_000, 6 * 3_600_000, DAY_MS, 7 * DAY_MS] as const;
/** What was before the span decides how it begins. */
const BEFORE_MS = 7 * DAY_MS;
const MOST_EVENTS = 2_000;
const SHOWN = 60;

/** What a device was, with reasons: a bar for each axis, and what happened, the latest first. */
export function CourseOfStatus({ device }: { readonly device: Device }) {
  void device.changed.value;
  const span = useSignal<number>(SPANS[0]);
  const events = useSignal<readonly PastEvent[]>([]);
  const complaint = useSignal('');
  const state = device.state.since;
  const at = pastMoment.value;
  useEffect(() => {
    const controller = new AbortController();
    const to = at ?? clock.present();
    pastEvents(
      { device: device.id, from: to - span.value - BEFORE_MS, to: to + 1, limit: MOST_EVENTS },
      controller.signal,
    ).then(
      (found) => {
        events.value = found;
        complaint.value = '';
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        complaint.value =
          error instanceof HttpError && error.status === 404 ? t().plot.noHistory : String(error);
      },
    );
    return () => controller.abort();
  }, [device.id, span.value, state, at]);
  void clock.tick.value;
  const to = at ?? clock.now();
  const from = to - span.value;
  const texts = t().device;
  const shown = events.value.filter((event) => event.at >= from).toReversed();
  return (
    <section class="card part" aria-label={texts.course}>
      <h3>
        {texts.course}{' '}
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
      </h3>
      {complaint.value !== '' ? (
        <p class="quiet">{complaint.value}</p>
      ) : (
        <>
          <Bar
            name={texts.deviceAxis}
            stretches={stretchesOf(events.value, 'status', from, to)}
            from={from}
            to={to}
            word={statusWord}
          />
          <Bar
            name={texts.linkAxis}
            stretches={stretchesOf(events.value, 'link', from, to)}
            from={from}
            to={to}
            word={linkWord}
          />
          <p class="ends quiet">
            <span>{momentText(from)}</span>
            <span>{at === undefined ? texts.now : momentText(to)}</span>
          </p>
          {shown.length === 0 ? (
            <p class="quiet">{texts.nothingHappened}</p>
          ) : (
            <ol class="happened">
              {shown.slice(0, SHOWN).map((event) => (
                <li key={`${event.at} ${event.kind} ${JSON.stringify(event.data)}`}>
                  <button
                    type="button"
                    class="plain small"
                    title={texts.goThere(momentText(event.at))}
                    onClick={() => showMoment(event.at)}
                  >
                    <time dateTime={new Date(event.at).toISOString()}>{timeText(event.at)}</time>
                  </button>{' '}
                  <EventText event={event} />
                </li>
              ))}
            </ol>
          )}
          {shown.length > SHOWN && <p class="quiet">{t().overview.more(shown.length - SHOWN)}</p>}
        </>
      )}
    </section>
  );
}

interface BarProps {
  readonly name: string;
  readonly stretches: readonly Stretch[];
  readonly from: number;
  readonly to: number;
  readonly word: (status: string) => string;
}

function Bar({ name, stretches, from, to, word }: BarProps) {
  const summary = stretches
    .map(({ status, from: begin, to: end }) => `${word(status)} ${spanText(end - begin)}`)
    .join(', ');
  return (
    <div class="axis">
      <span class="quiet">{name}</span>
      <div class="bar" role="img" aria-label={`${name}: ${summary || t().device.nothingHappened}`}>
        {stretches.map((stretch) => (
          <i
            key={stretch.from}
            data-tone={stretch.status}
            title={[
              word(stretch.status),
              because(stretch),
              timeText(stretch.from),
              spanText(stretch.to - stretch.from),
            ]
              .filter(Boolean)
              .join(' · ')}
            style={{
              left: `${((stretch.from - from) / (to - from)) * 100}%`,
              width: `${((stretch.to - stretch.from) / (to - from)) * 100}%`,
            }}
          />
        ))}
      </div>
    </div>
  );
}

/** One thing that happened, in a line. */
export function EventText({ event }: { readonly event: PastEvent }) {
  const { kind, data } = event;
  const texts = t().device;
  switch (kind) {
    case 'status':
      return (
        <span>
          <StatusBadge status={textOf(data.status)} /> {because(data)}
        </span>
      );
    case 'link':
      return (
        <span>
          {texts.linkAxis}: <b>{linkWord(textOf(data.status))}</b> {because(data)}
        </span>
      );
    case 'alarm': {
      const level = textOf(data.level);
      const value = isNumber(data.value) ? `${valueText(data.value)} ${textOf(data.unit)}`.trim() : '';
      const path = [data.message, data.field].filter((part) => typeof part === 'string').join('.');
      return (
        <span data-tone={level} class="alarm">
          <b>
            {level === 'alarm'
              ? `◆ ${qualityWord('alarm')}`
              : level === 'warn'
                ? `▲ ${qualityWord('warn')}`
                : `✓ ${texts.good}`}
          </b>{' '}
          {nameOfField(devices.get(event.device)?.declaration, path)} {value}{' '}
          {isNumber(data.limit) && texts.limit(valueText(data.limit), data.direction === 'below')}
        </span>
      );
    }
    case 'command': {
      const outcome = textOf(data.outcome) || textOf(data.code) || textOf(data.error_name);
      return (
        <span>
          → <b>{words(textOf(data.message))}</b> {data.fields === undefined ? '' : valueText(data.fields)}{' '}
          {outcome !== '' && <span class="quiet">{words(outcome)}</span>}{' '}
          {data.observed === true && texts.observed}
        </span>
      );
    }
    default:
      return (
        <span>
          {words(kind)} {because(data)}
        </span>
      );
  }
}
